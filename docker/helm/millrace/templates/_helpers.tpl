{{- define "millrace.name" -}}
{{- if contains .Chart.Name .Release.Name }}{{ .Release.Name | trunc 48 | trimSuffix "-" }}{{ else }}{{ printf "%s-%s" .Release.Name .Chart.Name | trunc 48 | trimSuffix "-" }}{{ end }}
{{- end }}

{{/* Pass (dict "root" $ "part" "learner"). */}}
{{- define "millrace.selector" -}}
app.kubernetes.io/name: {{ .root.Chart.Name }}
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/component: {{ .part }}
{{- end }}

{{- define "millrace.labels" -}}
{{ include "millrace.selector" . }}
app.kubernetes.io/version: {{ .root.Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .root.Chart.Name .root.Chart.Version }}
{{- end }}

{{/* The configuration: a text as it is, a mapping as YAML. The demo is no default in values.yaml, because Helm would merge it into others. */}}
{{- define "millrace.config" -}}
{{- if not .Values.config }}{{ .Files.Get "demo.yaml" }}
{{- else if kindIs "string" .Values.config }}{{ .Values.config }}
{{- else }}{{ toYaml .Values.config }}
{{- end }}
{{- end }}

{{/* What can not work is said before anything is installed. */}}
{{- define "millrace.check" -}}
{{- $config := include "millrace.config" . | fromYaml }}
{{- with $config.Error }}{{ fail (printf "config is not YAML: %s" .) }}{{ end }}
{{- $source := $config.source | default dict }}
{{- $outputs := $config.outputs | default dict }}
{{- if gt (int .Values.learner.replicas) 1 }}
{{- if not (and $source.kafka $outputs.kafka) }}{{ fail "learner.replicas: a standby needs source.kafka and outputs.kafka in the configuration" }}{{ end }}
{{- $modes := .Values.learner.persistence.accessModes }}
{{- if not (or .Values.learner.persistence.existingClaim (has "ReadWriteMany" $modes)) }}{{ fail "learner.replicas: learner and standby share their checkpoints; learner.persistence.accessModes must have ReadWriteMany, or name an existingClaim that has it" }}{{ end }}
{{- end }}
{{- if and (gt (int .Values.follower.replicas) 0) (not $outputs.kafka) }}{{ fail "follower.replicas: followers read the topic of snapshots; the configuration has no outputs.kafka" }}{{ end }}
{{- end }}

{{- define "millrace.podMeta" -}}
labels:
  {{- include "millrace.labels" . | nindent 2 }}
annotations:
  # A changed configuration makes new pods.
  checksum/config: {{ include "millrace.config" .root | sha256sum }}
  {{- with .root.Values.podAnnotations }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
{{- end }}

{{/* What the pods of learner and followers have in common. */}}
{{- define "millrace.podHead" -}}
serviceAccountName: {{ include "millrace.name" .root }}
automountServiceAccountToken: false
enableServiceLinks: false
securityContext:
  runAsNonRoot: true
  # The image's user `node`.
  runAsUser: 1000
  runAsGroup: 1000
  fsGroup: 1000
  fsGroupChangePolicy: OnRootMismatch
  seccompProfile: { type: RuntimeDefault }
{{- with .root.Values.image.pullSecrets }}
imagePullSecrets:
  {{- range . }}
  - name: {{ . }}
  {{- end }}
{{- end }}
{{- $own := index .root.Values .part }}
terminationGracePeriodSeconds: {{ $own.terminationGracePeriodSeconds }}
{{- with $own.nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with $own.tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- if $own.affinity }}
affinity:
  {{- toYaml $own.affinity | nindent 2 }}
{{- else if gt (int $own.replicas) 1 }}
topologySpreadConstraints:
  - maxSkew: 1
    topologyKey: kubernetes.io/hostname
    whenUnsatisfiable: ScheduleAnyway
    labelSelector:
      matchLabels:
        {{- include "millrace.selector" . | nindent 8 }}
{{- end }}
{{- end }}

{{- define "millrace.container" -}}
{{- $values := .root.Values }}
image: {{ printf "%s:%s" $values.image.repository ($values.image.tag | default .root.Chart.AppVersion) | quote }}
imagePullPolicy: {{ $values.image.pullPolicy }}
securityContext:
  allowPrivilegeEscalation: false
  readOnlyRootFilesystem: true
  capabilities: { drop: [ALL] }
env:
  - { name: MILLRACE_OBSERVE_HOST, value: 0.0.0.0 }
  - { name: MILLRACE_OBSERVE_PORT, value: {{ $values.observe.port | quote }} }
  - { name: MILLRACE_HTTP_PORT, value: '8470' }
  {{- if $values.http.keysSecret }}
  - { name: MILLRACE_HTTP_HOST, value: 0.0.0.0 }
  - { name: MILLRACE_HTTP_KEYS_FILE, value: /run/millrace/secrets/MILLRACE_HTTP_KEYS }
  {{- else }}
  # Without keys for this pod only: kubectl port-forward.
  - { name: MILLRACE_HTTP_HOST, value: 127.0.0.1 }
  {{- end }}
  {{- range $values.secrets }}
  - name: {{ .variable }}_FILE
    value: /run/millrace/secrets/{{ .variable }}
  {{- end }}
  {{- range $name, $value := $values.env }}
  - name: {{ $name }}
    value: {{ $value | quote }}
  {{- end }}
ports:
  - { name: observe, containerPort: {{ $values.observe.port }} }
  {{- if $values.http.keysSecret }}
  - { name: http, containerPort: 8470 }
  {{- end }}
# Alive is who answers. Ready is who learns, stands by or has a version to answer with (docs/operations.md).
startupProbe:
  httpGet: { path: /livez, port: observe }
  periodSeconds: 2
  failureThreshold: 60
livenessProbe:
  httpGet: { path: /livez, port: observe }
  periodSeconds: 10
  timeoutSeconds: 5
  failureThreshold: 6
readinessProbe:
  httpGet: { path: /readyz, port: observe }
  periodSeconds: 5
  timeoutSeconds: 3
{{- with (index $values .part).resources }}
resources:
  {{- toYaml . | nindent 2 }}
{{- end }}
volumeMounts:
  - { name: config, mountPath: /etc/millrace, readOnly: true }
  - { name: tmp, mountPath: /tmp }
  {{- if or $values.secrets $values.http.keysSecret }}
  - { name: secrets, mountPath: /run/millrace/secrets, readOnly: true }
  {{- end }}
  {{- range $values.secretFolders }}
  - { name: {{ printf "secret-%s" .name }}, mountPath: {{ printf "/run/millrace/%s" .name }}, readOnly: true }
  {{- end }}
{{- end }}

{{- define "millrace.volumes" -}}
- name: config
  configMap: { name: {{ include "millrace.name" . }} }
- name: tmp
  emptyDir: {}
{{- if or .Values.secrets .Values.http.keysSecret }}
- name: secrets
  projected:
    defaultMode: 0440
    sources:
      {{- range .Values.secrets }}
      - secret:
          name: {{ .secret }}
          items: [{ key: {{ .key }}, path: {{ .variable }} }]
      {{- end }}
      {{- with .Values.http.keysSecret }}
      - secret:
          name: {{ . }}
          items: [{ key: {{ $.Values.http.keysKey }}, path: MILLRACE_HTTP_KEYS }]
      {{- end }}
{{- end }}
{{- range .Values.secretFolders }}
- name: {{ printf "secret-%s" .name }}
  secret: { secretName: {{ .secret }}, defaultMode: 0440 }
{{- end }}
{{- end }}
