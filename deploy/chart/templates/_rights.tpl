{{/*
  The rights of one part (reader, writer) for these values, as a JSON list. `files/rights.yaml` holds every right with the settings that ask
  for it; it is written from the program's own table, and a test checks that the roles are those of `stanch rbac`.
*/}}
{{- define "stanch.rights" -}}
{{- $config := .root.Values.config -}}
{{- $part := .part -}}
{{- $rights := list -}}
{{- $table := .root.Files.Get "files/rights.yaml" | fromYaml -}}
{{- range $table.grants -}}
  {{- if eq .part $part -}}
    {{- $grant := . -}}
    {{- $needed := true -}}
    {{- range .when -}}
      {{- $condition := . -}}
      {{- $said := $config -}}
      {{- $found := true -}}
      {{- range (splitList "." .setting) -}}
        {{- if and $found (kindIs "map" $said) (hasKey $said .) -}}
          {{- $said = get $said . -}}
        {{- else -}}
          {{- $found = false -}}
        {{- end -}}
      {{- end -}}
      {{- if not $found -}}{{- $said = get $table.defaults $condition.setting -}}{{- end -}}
      {{- if hasKey . "has" -}}
        {{- if not (has .has $said) -}}{{- $needed = false -}}{{- end -}}
      {{- else if hasKey . "some" -}}
        {{- if not (and (kindIs "slice" $said) (gt (len $said) 0)) -}}{{- $needed = false -}}{{- end -}}
      {{- else if hasKey . "is" -}}
        {{- if ne (toString $said) (toString .is) -}}{{- $needed = false -}}{{- end -}}
      {{- else if eq (toString $said) (toString .isNot) -}}
        {{- $needed = false -}}
      {{- end -}}
    {{- end -}}
    {{- if $needed -}}
      {{- with .listed -}}
        {{- $listed := . -}}
        {{- $names := get $table.defaults .setting -}}
        {{- $said := $config -}}
        {{- range (splitList "." .setting) -}}
          {{- $said = default (dict) (get $said .) -}}
        {{- end -}}
        {{- range (ternary $said $names (kindIs "slice" $said)) -}}
          {{- $words := splitList "." . -}}
          {{- $rights = append $rights (dict "own" false "deployers" false "group" (join "." (rest $words)) "resource" (first $words) "verbs" $listed.verbs) -}}
        {{- end -}}
      {{- end -}}
      {{- range .rights -}}
        {{- $rights = append $rights (merge (dict "own" (default false $grant.own) "deployers" (default false $grant.deployers)) .) -}}
      {{- end -}}
    {{- end -}}
  {{- end -}}
{{- end -}}
{{- dict "rights" $rights | toJson -}}
{{- end -}}

{{/* Rules for a list of rights: one for what has the same group, verbs and name. */}}
{{- define "stanch.rules" -}}
{{- $resources := dict -}}
{{- range . -}}
  {{- $key := printf "%s|%s|%s" .group (default "" .name) .resource -}}
  {{- $row := default (dict "group" .group "name" (default "" .name) "resource" .resource "verbs" (list)) (get $resources $key) -}}
  {{- $_ := set $row "verbs" (concat $row.verbs .verbs | uniq | sortAlpha) -}}
  {{- $_ := set $resources $key $row -}}
{{- end -}}
{{- $rules := dict -}}
{{- range $resources -}}
  {{- $key := printf "%s|%s|%s" .group .name (join "," .verbs) -}}
  {{- $rule := default (dict "group" .group "name" .name "verbs" .verbs "resources" (list)) (get $rules $key) -}}
  {{- $_ := set $rule "resources" (append $rule.resources .resource | sortAlpha) -}}
  {{- $_ := set $rules $key $rule -}}
{{- end -}}
rules:
{{- range $rules }}
  - apiGroups: [{{ .group | quote }}]
    resources:
      {{- range .resources }}
      - {{ . }}
      {{- end }}
    {{- if .name }}
    resourceNames: [{{ .name | quote }}]
    {{- end }}
    verbs: [{{ join ", " .verbs }}]
{{- end }}
{{- end -}}

{{/*
  The namespaces to which rights are confined, as {"all": true} or {"namespaces": […], "deployers": […]}: those that the scope names outright, when it uses no
  wildcard; without those that are never watched.
*/}}
{{- define "stanch.scope" -}}
{{- $scope := default (dict) (get .Values.config "scope") -}}
{{- $globs := default (list "*") (get $scope "namespaces") -}}
{{- $all := false -}}
{{- $named := list -}}
{{- range $globs -}}
  {{- $name := . -}}
  {{- if regexMatch "[*?]" $name -}}
    {{- $all = true -}}
  {{- else -}}
    {{- $out := has $name (list "kube-system" "kube-public" "kube-node-lease" $.Release.Namespace) -}}
    {{- range (default (list) (get $scope "excludeNamespaces")) -}}
      {{- $pattern := regexQuoteMeta . | replace "\\*" ".*" | replace "\\?" "." -}}
      {{- if regexMatch (printf "^(?s:%s)$" $pattern) $name -}}{{- $out = true -}}{{- end -}}
    {{- end -}}
    {{- if not $out -}}{{- $named = append $named $name -}}{{- end -}}
  {{- end -}}
{{- end -}}
{{- if $all -}}{"all": true}{{- else -}}
  {{- $beside := list -}}
  {{- range (default (list) (get $scope "deployers")) -}}
    {{- if not (has . $named) -}}{{- $beside = append $beside . -}}{{- end -}}
  {{- end -}}
  {{- dict "all" false "namespaces" ($named | uniq) "deployers" ($beside | uniq) | toJson -}}
{{- end -}}
{{- end -}}

{{/* The roles that a part consists of: {"parts": [{"name", "namespace", "rights"}]}; no namespace: the cluster's. */}}
{{- define "stanch.parts" -}}
{{- $role := printf "%s-%s" (include "stanch.fullname" .root) .part -}}
{{- $rights := (include "stanch.rights" . | fromJson).rights -}}
{{- $scope := include "stanch.scope" .root | fromJson -}}
{{- $clusterScoped := (.root.Files.Get "files/rights.yaml" | fromYaml).clusterScoped -}}
{{- $own := list -}}
{{- $rest := list -}}
{{- $cluster := list -}}
{{- $namespaced := list -}}
{{- $deploying := list -}}
{{- range $rights -}}
  {{- if .own -}}
    {{- $own = append $own . -}}
  {{- else -}}
    {{- $rest = append $rest . -}}
    {{- if .deployers -}}{{- $deploying = append $deploying . -}}{{- end -}}
    {{- if has .resource $clusterScoped -}}{{- $cluster = append $cluster . -}}{{- else -}}{{- $namespaced = append $namespaced . -}}{{- end -}}
  {{- end -}}
{{- end -}}
{{- $parts := list -}}
{{- /* In the release's namespace there is one role of this name. */ -}}
{{- if and (not $scope.all) (has .root.Release.Namespace $scope.deployers) -}}{{- $own = concat $own $deploying -}}{{- end -}}
{{- if $own -}}{{- $parts = append $parts (dict "name" (printf "%s-own" $role) "namespace" .root.Release.Namespace "rights" $own) -}}{{- end -}}
{{- if $scope.all -}}
  {{- if $rest -}}{{- $parts = append $parts (dict "name" $role "namespace" "" "rights" $rest) -}}{{- end -}}
{{- else -}}
  {{- if $cluster -}}{{- $parts = append $parts (dict "name" (printf "%s-cluster" $role) "namespace" "" "rights" $cluster) -}}{{- end -}}
  {{- range $scope.namespaces -}}
    {{- if $namespaced -}}{{- $parts = append $parts (dict "name" $role "namespace" . "rights" $namespaced) -}}{{- end -}}
  {{- end -}}
{{- end -}}
{{- if not $scope.all -}}
  {{- $home := .root.Release.Namespace -}}
  {{- range $scope.deployers -}}
    {{- if and $deploying (ne . $home) -}}{{- $parts = append $parts (dict "name" (printf "%s-deployers" $role) "namespace" . "rights" $deploying) -}}{{- end -}}
  {{- end -}}
{{- end -}}
{{- dict "parts" $parts | toJson -}}
{{- end -}}

{{/* Head of a role or binding. */}}
{{- define "stanch.roleHead" -}}
apiVersion: rbac.authorization.k8s.io/v1
kind: {{ if .namespace }}Role{{ else }}ClusterRole{{ end }}{{ .suffix }}
metadata:
  name: {{ .name | quote }}
  {{- with .namespace }}
  namespace: {{ . | quote }}
  {{- end }}
  labels:
    {{- include "stanch.labels" .root | nindent 4 }}
{{- end -}}

{{/* Binding of a role to one of the release's accounts. */}}
{{- define "stanch.binding" -}}
{{ include "stanch.roleHead" (dict "root" .root "name" .name "namespace" .part.namespace "suffix" "Binding") }}
roleRef:
  apiGroup: rbac.authorization.k8s.io
  kind: {{ if .part.namespace }}Role{{ else }}ClusterRole{{ end }}
  name: {{ .part.name | quote }}
subjects:
  - kind: ServiceAccount
    name: {{ .account | quote }}
    namespace: {{ .root.Release.Namespace | quote }}
{{- end -}}
