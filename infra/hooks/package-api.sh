#!/bin/sh
# Publishes the api for azd: the Azure flavour without libtorch, with the api's functions alone.
set -eu
root=$(CDPATH='' cd -- "$(dirname -- "$0")/../.." && pwd)
out="$root/artifacts/deploy/api"

rm -rf "$out"
dotnet publish "$root/src/Ulmfit.Functions" --configuration Release --output "$out" \
  -p:AzurePackages=true -p:TorchDevice=none -p:FunctionsRole=api
