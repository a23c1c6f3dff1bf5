{{/* An address and its length as {"bits": "0000101…", "length": 8}. The schema of the values takes nothing else. */}}
{{- define "stanch.cidr" -}}
{{- $parts := splitList "/" . -}}
{{- $address := first $parts -}}
{{- $bits := "" -}}
{{- if contains ":" $address -}}
{{- $halves := splitList "::" $address -}}
{{- $head := without (splitList ":" (first $halves)) "" -}}
{{- $tail := list -}}
{{- if eq (len $halves) 2 -}}{{- $tail = without (splitList ":" (last $halves)) "" -}}{{- end -}}
{{- range $head }}{{ $bits = printf "%s%016b" $bits (int64 (printf "0x%s" .)) }}{{ end -}}
{{- range until (max 0 (sub 8 (add (len $head) (len $tail))) | int) }}{{ $bits = printf "%s%016b" $bits 0 }}{{ end -}}
{{- range $tail }}{{ $bits = printf "%s%016b" $bits (int64 (printf "0x%s" .)) }}{{ end -}}
{{- else -}}
{{- range splitList "." $address }}{{ $bits = printf "%s%08b" $bits (atoi .) }}{{ end -}}
{{- end -}}
{{- dict "bits" $bits "length" (atoi (last $parts)) | toJson -}}
{{- end -}}

{{/* What of `except` lies within `cidr` and is not all of it: the API server refuses any other. {"except": […]} */}}
{{- define "stanch.exceptIn" -}}
{{- $outer := include "stanch.cidr" .cidr | fromJson -}}
{{- $length := int $outer.length -}}
{{- $found := list -}}
{{- range .except -}}
{{- $inner := include "stanch.cidr" . | fromJson -}}
{{- $sameFamily := eq (len $inner.bits) (len $outer.bits) -}}
{{- if and $sameFamily (gt (int $inner.length) $length) (eq (substr 0 $length $inner.bits) (substr 0 $length $outer.bits)) -}}
{{- $found = append $found . -}}
{{- end -}}
{{- end -}}
{{- dict "except" $found | toJson -}}
{{- end -}}
