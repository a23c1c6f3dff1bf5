#!/bin/sh
# build.sh OUT GOOS [GOARCH]: helm and kustomize of go.mod, static, into OUT/bin, and the licences of all that is in them into OUT.
set -eu
out=$1
export GOOS="$2" GOARCH="${3:-$(go env GOHOSTARCH)}" CGO_ENABLED=0 GOTOOLCHAIN=local GOFLAGS="-mod=readonly -trimpath -buildvcs=false"
cd "$(dirname "$0")"
version() { go list -m -f '{{.Version}}' "$1"; }
kubernetes=$(version k8s.io/client-go | cut -d. -f2)
chartutil=helm.sh/helm/v3/pkg/chartutil

mkdir -p "$out/bin"
go mod verify
# As their own releases are stamped; helm tells charts its Kubernetes version where it knows no cluster.
go build -o "$out/bin/" -ldflags "-s -w \
  -X helm.sh/helm/v3/internal/version.version=$(version helm.sh/helm/v3) \
  -X $chartutil.k8sVersionMajor=1 -X $chartutil.k8sVersionMinor=$kubernetes \
  -X sigs.k8s.io/kustomize/api/provenance.version=$(version sigs.k8s.io/kustomize/kustomize/v5)" \
  helm.sh/helm/v3/cmd/helm sigs.k8s.io/kustomize/kustomize/v5

go list -deps -f '{{with .Module}}{{if not .Main}}{{.Path}} {{.Version}} {{.Dir}}{{end}}{{end}}' \
  helm.sh/helm/v3/cmd/helm sigs.k8s.io/kustomize/kustomize/v5 | sort -u |
  while read -r module version folder; do
    printf '================================================================================\n%s %s\n\n' "$module" "$version"
    find "$folder" -maxdepth 1 -type f \( -iname 'licen[cs]e*' -o -iname 'notice*' -o -iname 'copying*' \) | sort |
      while read -r file; do cat "$file"; echo; done
  done >"$out/THIRD_PARTY_LICENSES"
