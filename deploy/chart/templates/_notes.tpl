{{- define "stanch.notes" -}}
{{- $name := include "stanch.fullname" . -}}
{{- $namespace := .Release.Namespace -}}
{{- $mode := dig "mode" "observe" .Values.config -}}
{{- $scope := include "stanch.scope" . | fromJson -}}
{{- $tokenElsewhere := .Values.extraEnvFrom -}}
{{- $keyElsewhere := .Values.extraEnvFrom -}}
{{- range .Values.extraEnv -}}
{{- if has .name (list "GITHUB_TOKEN" "STANCH_GITHUB_APP_KEY") -}}{{- $tokenElsewhere = true -}}{{- end -}}
{{- if eq .name "ANTHROPIC_API_KEY" -}}{{- $keyElsewhere = true -}}{{- end -}}
{{- end -}}
Stanch {{ .Chart.AppVersion }} looks at {{ if $scope.all }}every namespace{{ else }}{{ join ", " $scope.namespaces | default "no namespace" }}{{ end }} ({{ .Values.cronJob.schedule }}) in mode {{ $mode }}{{ if .Values.cronJob.suspend }}, but it is suspended{{ end }}.

{{ if eq $mode "observe" -}}
It reads and reports, and changes nothing: neither in the cluster nor in Git.
{{- else if eq $mode "propose" -}}
It opens pull requests, and changes nothing live. It may not: the write half is not installed.
{{- else if include "stanch.writes" . -}}
It changes what runs, and opens the pull requests that make Git say so. Account: {{ $name }}-writer.
{{- else -}}
WARNING: config.mode is remediate, but the write half is not installed, so NOTHING IS CHANGED LIVE. Fixes are proposed as pull requests only.
To let it change what runs:  --set write.enabled=true
To say what is so:           --set config.mode=propose
{{- end }}
{{- if and .Release.IsUpgrade (not (include "stanch.writes" .)) }}

Did it change what runs before? What still stands live (`stanch incidents`, column LIVE) cannot be taken back without the write half: go back to it
until open hotfixes have ended (merge or close their pull requests, or stanch undo NAME -n NAMESPACE).
{{- end }}
{{- if and .Values.write.enabled (ne $mode "remediate") }}

write.enabled is true, but in mode {{ $mode }} nothing is changed live: the right to it is not granted before config.mode is remediate.
{{- end }}
{{- if and (ne $mode "observe") (not .Values.github.existingSecret) (not $tokenElsewhere) }}

WARNING: no GitHub credentials are configured: no pull request can be opened. Make a Secret, and name it:
  kubectl -n {{ $namespace }} create secret generic stanch-github --from-file={{ if dig "github" "appId" "" .Values.config }}{{ .Values.github.appPrivateKeyKey }}=KEY.pem{{ else }}{{ .Values.github.tokenKey }}=TOKEN_FILE{{ end }}
  --set github.existingSecret=stanch-github
{{- end }}
{{- if and (dig "model" "enabled" false .Values.config) (not .Values.model.existingSecret) (not $keyElsewhere) }}

WARNING: config.model.enabled is true, but there is no key: no model is asked. Make a Secret, and name it:
  kubectl -n {{ $namespace }} create secret generic stanch-model --from-file={{ .Values.model.apiKeyKey }}=KEY_FILE
  --set model.existingSecret=stanch-model
{{- end }}
{{- if not .Values.rbac.create }}

rbac.create is false: the accounts hold no rights but those that you grant. `stanch doctor` names what is missing.
{{- end }}
{{- if ne (dig "observe" "secrets" "names" .Values.config) "none" }}

config.observe.secrets is {{ dig "observe" "secrets" "names" .Values.config }}: the account may list Secrets, and so read them. Stanch keeps names{{ if eq (dig "observe" "secrets" "names" .Values.config) "keys" }} and keys{{ end }} only.
{{- end }}

{{- if and .Values.networkPolicy.enabled (not .Values.networkPolicy.extraEgress) -}}
{{- range (include "stanch.addresses" . | fromJson).addresses -}}
{{- $url := urlParse . -}}
{{- $port := regexFind "[0-9]+$" (regexFind ":[0-9]+$" $url.host) | default (ternary "80" "443" (eq $url.scheme "http")) -}}
{{- $open := false -}}
{{- range $.Values.networkPolicy.ports }}{{ if eq (int .) (int $port) }}{{ $open = true }}{{ end }}{{ end -}}
{{- if not $open }}

WARNING: networkPolicy keeps it from {{ $url.host }}: port {{ $port }} is none of networkPolicy.ports, and networkPolicy.extraEgress is empty.
{{- end -}}
{{- end -}}
{{- end }}

Next:
  helm test {{ .Release.Name }} -n {{ $namespace }} --logs                        # is everything there that it needs?
  kubectl -n {{ $namespace }} create job --from=cronjob/{{ $name }} {{ $name }}-now      # one cycle at once
  kubectl -n {{ $namespace }} wait job/{{ $name }}-now --for=jsonpath='{.status.ready}'=1 --timeout=2m
  kubectl -n {{ $namespace }} logs -f job/{{ $name }}-now
{{- if ne $mode "observe" }}
  kubectl get incidents -A                                    # what it found, and what became of it
{{- else }}
  # content with what it finds? Let it propose: --set config.mode=propose,github.existingSecret=…
{{- end }}

Stop it at once:
  kubectl -n {{ $namespace }} patch cronjob {{ $name }} -p '{"spec":{"suspend":true}}'
  kubectl -n {{ $namespace }} delete jobs -l app.kubernetes.io/instance={{ .Release.Name }}
  {{- if include "stanch.writes" . }}
  # The next cycle repairs what was left half done. Take one hotfix back yourself: stanch undo NAME -n NAMESPACE
  {{- end }}
  kubectl annotate namespace NAMESPACE stanch.dev/ignore=true   # leave one namespace alone (or one workload)

Uninstalling {{ if and .Values.crds.install .Values.crds.keep }}keeps the CustomResourceDefinitions and with them every Incident{{ else if .Values.crds.install }}REMOVES the CustomResourceDefinitions, AND WITH THEM EVERY INCIDENT{{ else }}leaves the CustomResourceDefinitions alone{{ end }}.
{{- if include "stanch.writes" . }} Before it, let open hotfixes end: docs/install.md.{{ end }}
{{- end -}}

{{/* Where the configuration leads to, by address: {"addresses": […]}. What stands in Secrets is not known here. */}}
{{- define "stanch.addresses" -}}
{{- $config := .Values.config -}}
{{- $metrics := default (dict) (get $config "metrics") -}}
{{- $found := list .Values.proxy.http .Values.proxy.https -}}
{{- $found = append $found (dig "otlp" "endpoint" "" $metrics) -}}
{{- $found = append $found (dig "pushgateway" "url" "" $metrics) -}}
{{- $found = append $found (dig "apiUrl" "" (default (dict) (get $config "github"))) -}}
{{- $found = append $found (dig "baseUrl" "" (default (dict) (get $config "model"))) -}}
{{- range (default (list) (get (default (dict) (get $config "notify")) "receivers")) -}}
{{- $found = append $found (default "" (get . "url")) -}}
{{- end -}}
{{- dict "addresses" (without $found "" | uniq) | toJson -}}
{{- end -}}
