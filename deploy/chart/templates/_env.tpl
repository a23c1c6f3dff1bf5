{{/* Environment variables that the chart sets for these values. */}}
{{- define "stanch.ownEnv" -}}
{{- $root := . -}}
{{- with .Values }}
- name: STANCH_CONFIG
  value: /etc/stanch/stanch.yaml
{{- if .github.existingSecret }}
{{- if dig "github" "appId" "" .config }}
- name: STANCH_GITHUB_APP_KEY
  valueFrom:
    secretKeyRef:
      name: {{ .github.existingSecret | quote }}
      key: {{ .github.appPrivateKeyKey | quote }}
{{- else }}
- name: GITHUB_TOKEN
  valueFrom:
    secretKeyRef:
      name: {{ .github.existingSecret | quote }}
      key: {{ .github.tokenKey | quote }}
{{- end }}
{{- end }}
{{- with .model.existingSecret }}
- name: ANTHROPIC_API_KEY
  valueFrom:
    secretKeyRef:
      name: {{ . | quote }}
      key: {{ $root.Values.model.apiKeyKey | quote }}
{{- end }}
{{- if or .proxy.http .proxy.https }}
# Node asks through a proxy only when it is told to.
- name: NODE_USE_ENV_PROXY
  value: "1"
{{- with .proxy.http }}
- name: HTTP_PROXY
  value: {{ . | quote }}
- name: http_proxy
  value: {{ . | quote }}
{{- end }}
{{- with .proxy.https }}
- name: HTTPS_PROXY
  value: {{ . | quote }}
- name: https_proxy
  value: {{ . | quote }}
{{- end }}
{{- $direct := list "localhost" "127.0.0.1" "::1" ".svc" ".cluster.local" "$(KUBERNETES_SERVICE_HOST)" }}
{{- with .proxy.noProxy }}{{ $direct = append $direct . }}{{ end }}
- name: NO_PROXY
  value: {{ join "," $direct | quote }}
- name: no_proxy
  value: {{ join "," $direct | quote }}
{{- end }}
{{- if or .caBundle.configMap .caBundle.secret }}
- name: NODE_EXTRA_CA_CERTS
  value: /etc/stanch-ca/ca.crt
- name: GIT_SSL_CAINFO
  value: /etc/stanch-ca/ca.crt
- name: SSL_CERT_FILE
  value: /etc/stanch-ca/ca.crt
{{- end }}
{{- end }}
{{- end -}}

{{/*
  All environment variables, each once: what `extraEnv` names takes the place of the chart's own. A proxy's variable is left out in both
  spellings then, because programs read the one or the other.
*/}}
{{- define "stanch.env" -}}
{{- $given := list -}}
{{- range .Values.extraEnv -}}
{{- if eq .name "STANCH_CONFIG" -}}
{{- fail "extraEnv: STANCH_CONFIG is set by the chart, which mounts the configuration: leave it out, and say what you want in config" -}}
{{- end -}}
{{- if has .name $given -}}
{{- fail (printf "extraEnv: %s stands in it twice: leave one out" .name) -}}
{{- end -}}
{{- $given = append $given .name -}}
{{- end -}}
{{- $replaced := $given -}}
{{- range $given -}}
{{- if has (upper .) (list "HTTP_PROXY" "HTTPS_PROXY" "NO_PROXY") }}{{ $replaced = concat $replaced (list (upper .) (lower .)) }}{{ end -}}
{{- end -}}
{{- $all := list -}}
{{- range include "stanch.ownEnv" . | fromYamlArray -}}
{{- if not (has .name $replaced) }}{{ $all = append $all . }}{{ end -}}
{{- end -}}
{{- concat $all (default (list) .Values.extraEnv) | toYaml -}}
{{- end -}}
