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
      {{- with .extraEnv }}
      {{- toYaml . | nindent 6 }}
      {{- end }}
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
