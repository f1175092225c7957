{{- define "podwire.settings" -}}
{{- .Files.Get "files/settings.yaml" -}}
{{- end -}}

{{- define "podwire.image" -}}
{{- $tag := default .Chart.AppVersion .Values.image.tag -}}
{{- .Values.image.repository }}:{{ $tag }}{{ with .Values.image.digest }}@{{ . }}{{ end -}}
{{- end -}}

{{/* The variables of a container, from its settings. Choices that come later win. */}}
{{- define "podwire.variables" -}}
{{- $variables := deepCopy (index .settings.installation .root.Values.installation) -}}
{{- $variables = mergeOverwrite $variables (index .settings.addressFamilies (join "," .root.Values.addressFamilies)) -}}
{{- $variables = mergeOverwrite $variables (index .settings.cniVersion .root.Values.cniVersion) -}}
{{- if .root.Values.platform -}}
{{- $variables = mergeOverwrite $variables (index .settings.platform .root.Values.platform) -}}
{{- end -}}
{{- if and (include "podwire.hasTypha" .root) .settings.typha -}}
{{- $variables = mergeOverwrite $variables .settings.typha -}}
{{- end -}}
{{- toJson $variables -}}
{{- end -}}

{{- define "podwire.environment" -}}
{{- range $name, $source := . }}
- {{ merge (dict "name" $name) $source | toYaml | nindent 2 | trim }}
{{- end -}}
{{- end -}}

{{- define "podwire.env" -}}
{{- include "podwire.podwireEnv" (dict "root" . "more" dict) -}}
{{- end -}}

{{- define "podwire.tokenEnv" -}}
{{- $settings := include "podwire.settings" . | fromYaml -}}
{{- include "podwire.podwireEnv" (dict "root" . "more" (ternary $settings.podwire.gc dict .Values.gc.enabled)) -}}
{{- end -}}

{{/* The variables of a container of podwire, and more of them. What users set wins. */}}
{{- define "podwire.podwireEnv" -}}
{{- $more := .more -}}
{{- with .root -}}
{{- $settings := include "podwire.settings" . | fromYaml -}}
{{- $variables := include "podwire.variables" (dict "root" . "settings" $settings.podwire) | fromJson -}}
{{- $variables = mergeOverwrite $variables $more -}}
{{- $_ := set $variables "CNI_MTU" (dict "value" (toString .Values.mtu)) -}}
{{- $_ := set $variables "LOG_LEVEL" (dict "value" .Values.logLevel) -}}
{{- with .Values.folders.programs }}{{ $_ := set $variables "CNI_BIN_DIR" (dict "value" .) }}{{ end -}}
{{- with .Values.folders.configs }}{{ $_ := set $variables "CNI_NET_DIR" (dict "value" .) }}{{ end -}}
{{- if .Values.apiServer.host -}}
{{- $_ := set $variables "KUBERNETES_SERVICE_HOST" (dict "value" .Values.apiServer.host) -}}
{{- $_ := set $variables "KUBERNETES_SERVICE_PORT" (dict "value" (toString .Values.apiServer.port)) -}}
{{- end -}}
{{- range $name, $value := .Values.env }}{{ $_ := set $variables $name (dict "value" (toString $value)) }}{{ end -}}
{{- include "podwire.environment" $variables | trim -}}
{{- end -}}
{{- end -}}

{{/* Only with bgp do address families matter to the agent: it announces podCIDRs. */}}
{{- define "podwire.agentEnv" -}}
{{- $settings := include "podwire.settings" . | fromYaml -}}
{{- $agent := $settings.agent -}}
{{- if ne .Values.installation "bgp" -}}
{{- $_ := set $agent "addressFamilies" (dict (join "," .Values.addressFamilies) dict) -}}
{{- end -}}
{{- $variables := include "podwire.variables" (dict "root" . "settings" $agent) | fromJson -}}
{{- include "podwire.environment" $variables | trim -}}
{{- end -}}

{{- define "podwire.programs" -}}
{{- $settings := include "podwire.settings" . | fromYaml -}}
{{- default (index $settings.folders .Values.platform).programs .Values.folders.programs -}}
{{- end -}}

{{- define "podwire.configs" -}}
{{- $settings := include "podwire.settings" . | fromYaml -}}
{{- default (index $settings.folders .Values.platform).configs .Values.folders.configs -}}
{{- end -}}

{{/* The name of a ConfigMap as kustomize makes it: it ends with a hash of the content, so that a change is rolled out.
     kustomize leaves the name out of the hash. */}}
{{- define "podwire.hashedName" -}}
{{- $hash := dict "data" .data "kind" "ConfigMap" "name" "" | toJson | sha256sum | trunc 10 -}}
{{- $hash = $hash | replace "0" "g" | replace "1" "h" | replace "3" "k" | replace "a" "m" | replace "e" "t" -}}
{{- .name }}-{{ $hash -}}
{{- end -}}

{{- define "podwire.networkData" -}}
{{- $file := ternary "files/cilium.conflist" "files/podwire.conflist" (eq .Values.chaining "cilium") -}}
{{- dict "10-podwire.conflist" (.Files.Get $file) | toJson -}}
{{- end -}}

{{- define "podwire.networkName" -}}
{{- include "podwire.hashedName" (dict "name" "podwire-network" "data" (include "podwire.networkData" . | fromJson)) -}}
{{- end -}}

{{/* The networks of pods of one family, as a list in JSON. */}}
{{- define "podwire.networks" -}}
{{- include "podwire.ofFamily" (dict "family" .family "networks" .root.Values.masquerade.podNetworks) -}}
{{- end -}}

{{- define "podwire.ofFamily" -}}
{{- $found := list -}}
{{- range .networks }}{{ if eq (contains ":" .) (eq $.family "ipv6") }}{{ $found = append $found . }}{{ end }}{{ end -}}
{{- toJson $found -}}
{{- end -}}

{{/* Elements of a set of nftables. A set must have one: for a family without networks, the address that no packet has. */}}
{{- define "podwire.elements" -}}
{{- $found := include "podwire.ofFamily" . | fromJsonArray -}}
{{- $none := ternary "::/128" "0.0.0.0/32" (eq .family "ipv6") -}}
{{- join ", " (default (list $none) $found) -}}
{{- end -}}

{{- define "podwire.masquerades" -}}
{{- if and .Values.masquerade.podNetworks (eq .Values.installation "podcidr-routes") }}yes{{ end -}}
{{- end -}}

{{- define "podwire.hasPools" -}}
{{- if and .Values.masquerade.podNetworks (ne .Values.installation "podcidr-routes") }}yes{{ end -}}
{{- end -}}

{{- define "podwire.hasTypha" -}}
{{- if and .Values.typha.enabled (ne .Values.installation "podcidr-routes") }}yes{{ end -}}
{{- end -}}

{{- define "podwire.masqueradeData" -}}
{{- $root := . -}}
{{- $text := .Files.Get "files/networks.nft" -}}
{{- $unchanged := concat .Values.masquerade.podNetworks .Values.masquerade.unchangedNetworks -}}
{{- range $family := list "ipv4" "ipv6" -}}
{{- $pods := include "podwire.elements" (dict "family" $family "networks" $root.Values.masquerade.podNetworks) -}}
{{- $others := include "podwire.elements" (dict "family" $family "networks" $unchanged) -}}
{{- $text = $text | replace (printf "define pods_%s = { @%s@ }" $family $family) (printf "define pods_%s = { %s }" $family $pods) -}}
{{- $text = $text | replace (printf "define unchanged_%s = { @%s@ }" $family $family) (printf "define unchanged_%s = { %s }" $family $others) -}}
{{- end -}}
{{- dict "masquerade.nft" (.Files.Get "files/masquerade.nft") "networks.nft" $text | toJson -}}
{{- end -}}

{{- define "podwire.masqueradeName" -}}
{{- include "podwire.hashedName" (dict "name" "podwire-masquerade" "data" (include "podwire.masqueradeData" . | fromJson)) -}}
{{- end -}}
