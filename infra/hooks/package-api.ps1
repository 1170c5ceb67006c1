# Publishes the api for azd: the Azure flavour without libtorch, with the api's functions alone.
Set-StrictMode -Version Latest
$ErrorActionPreference = 'Stop'
$root = (Resolve-Path (Join-Path $PSScriptRoot '../..')).Path
$out = Join-Path $root 'artifacts/deploy/api'

if (Test-Path $out) { Remove-Item -Recurse -Force $out }
dotnet publish (Join-Path $root 'src/Ulmfit.Functions') --configuration Release --output $out `
    '-p:AzurePackages=true' '-p:TorchDevice=none' '-p:FunctionsRole=api'
exit $LASTEXITCODE
