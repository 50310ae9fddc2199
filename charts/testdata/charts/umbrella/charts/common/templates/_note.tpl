{{- define "common.note" -}}
# written by {{ .Chart.Name }}
{{- end -}}
