{{/* The pod of a cycle; `args` are Stanch's own words, `labels` the pod's further labels. */}}
{{- define "stanch.podSpec" -}}
{{- $root := .root -}}
{{- with $root.Values }}
serviceAccountName: {{ include "stanch.account" $root | quote }}
automountServiceAccountToken: true
enableServiceLinks: false
restartPolicy: Never
terminationGracePeriodSeconds: {{ int .cronJob.terminationGracePeriodSeconds }}
{{- with .imagePullSecrets }}
imagePullSecrets:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .priorityClassName }}
priorityClassName: {{ . | quote }}
{{- end }}
securityContext:
  {{- toYaml .podSecurityContext | nindent 2 }}
containers:
  - name: stanch
    image: "{{ .image.repository }}:{{ default $root.Chart.AppVersion .image.tag }}{{ with .image.digest }}@{{ . }}{{ end }}"
    imagePullPolicy: {{ .image.pullPolicy }}
    args:
      {{- toYaml $.args | nindent 6 }}
    env:
      {{- include "stanch.env" $root | nindent 6 }}
    {{- with .extraEnvFrom }}
    envFrom:
      {{- toYaml . | nindent 6 }}
    {{- end }}
    securityContext:
      {{- toYaml .securityContext | nindent 6 }}
    resources:
      {{- toYaml .resources | nindent 6 }}
    volumeMounts:
      - name: config
        mountPath: /etc/stanch
        readOnly: true
      - name: tmp
        mountPath: /tmp
      {{- if or .caBundle.configMap .caBundle.secret }}
      - name: ca
        mountPath: /etc/stanch-ca
        readOnly: true
      {{- end }}
      {{- with .extraVolumeMounts }}
      {{- toYaml . | nindent 6 }}
      {{- end }}
volumes:
  - name: config
    configMap:
      name: "{{ include "stanch.fullname" $root }}-config"
  - name: tmp
    emptyDir:
      sizeLimit: {{ .tmp.sizeLimit | quote }}
      {{- with .tmp.medium }}
      medium: {{ . | quote }}
      {{- end }}
  {{- if .caBundle.configMap }}
  - name: ca
    configMap:
      name: {{ .caBundle.configMap | quote }}
      items:
        - key: {{ .caBundle.key | quote }}
          path: ca.crt
  {{- else if .caBundle.secret }}
  - name: ca
    secret:
      secretName: {{ .caBundle.secret | quote }}
      items:
        - key: {{ .caBundle.key | quote }}
          path: ca.crt
  {{- end }}
  {{- with .extraVolumes }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
{{- with .nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .affinity }}
affinity:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .topologySpreadConstraints }}
topologySpreadConstraints:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}
{{- end -}}
