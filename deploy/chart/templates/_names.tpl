{{/* A name that is not longer than 45 characters, and ends in a letter or digit wherever it is cut. */}}
{{- define "stanch.cut" -}}
{{- trunc 45 . | regexFind ".*[A-Za-z0-9]" -}}
{{- end -}}

{{/* Name of everything in the release. A CronJob's name has 52 characters at most. */}}
{{- define "stanch.fullname" -}}
{{- if .Values.fullnameOverride -}}
{{- include "stanch.cut" .Values.fullnameOverride -}}
{{- else -}}
{{- $name := default .Chart.Name .Values.nameOverride -}}
{{- if contains $name .Release.Name -}}
{{- include "stanch.cut" .Release.Name -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name $name | include "stanch.cut" -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{- define "stanch.selectorLabels" -}}
app.kubernetes.io/name: stanch
app.kubernetes.io/instance: {{ .Release.Name | quote }}
{{- end -}}

{{- define "stanch.labels" -}}
{{- range $value := list "commonLabels" "podLabels" -}}
{{- range $label, $_ := get $.Values $value -}}
{{- if has $label (list "helm.sh/chart" "app.kubernetes.io/name" "app.kubernetes.io/instance" "app.kubernetes.io/version" "app.kubernetes.io/managed-by") -}}
{{- fail (printf "%s: %s is set by the chart, which selects its own pods by it: leave it out" $value $label) -}}
{{- end -}}
{{- end -}}
{{- end -}}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" | trunc 63 | regexFind ".*[A-Za-z0-9]" }}
{{ include "stanch.selectorLabels" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
{{- with .Values.commonLabels }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{/* The chart's labels with further ones, each key once: the further ones win. `root`, `more`. */}}
{{- define "stanch.labelsWith" -}}
{{- $labels := include "stanch.labels" .root | fromYaml -}}
{{- mergeOverwrite $labels (deepCopy (default (dict) .more)) | toYaml -}}
{{- end -}}

{{/* Is there a write half? Only where it is enabled and there is something that may be written. */}}
{{- define "stanch.writes" -}}
{{- if and .Values.write.enabled (eq (dig "mode" "observe" .Values.config) "remediate") -}}true{{- end -}}
{{- end -}}

{{/* The account under which Stanch runs. */}}
{{- define "stanch.account" -}}
{{ include "stanch.fullname" . }}-{{ if include "stanch.writes" . }}writer{{ else }}reader{{ end }}
{{- end -}}

{{/* stanch.yaml, with the release's namespace as Stanch's own. */}}
{{- define "stanch.config" -}}
{{- $own := dig "namespace" "" .Values.config -}}
{{- if and $own (ne $own .Release.Namespace) -}}
{{- fail (printf "config.namespace is %q, but Stanch's own namespace is the release's, %q: leave config.namespace out, or install with --namespace %s" $own .Release.Namespace $own) -}}
{{- end -}}
{{- $scope := default (dict) (get .Values.config "scope") -}}
{{- if and (hasKey $scope "namespaces") (empty $scope.namespaces) -}}
{{- fail "config.scope.namespaces is empty, so that nothing would be watched: leave it out, or write [\"*\"]" -}}
{{- end -}}
{{- merge (dict "namespace" .Release.Namespace) .Values.config | toYaml -}}
{{- end -}}
