{{- define "upgrades.pod" }}
spec:
  template:
    spec:
      containers:
        - name: main
          image: {{ .image }}
{{- end }}
{{- define "upgrades.later" }}{{ if gt (int .Release.Revision) 1 }}yes{{ end }}{{ end }}
