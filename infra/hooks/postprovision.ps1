# After azd provision: settings for a host on this machine that works on the cloud's storage, and the trainer's scale rule, which
# provisioning resets.
Set-StrictMode -Version Latest
$ErrorActionPreference = 'Stop'
$file = Join-Path $PSScriptRoot '../../local.settings.json'

if (Test-Path $file) {
    Write-Host "local.settings.json is there already and stays as it is. To work on the cloud's storage, set ""storage"" in it to $env:STORAGE_BLOB_ENDPOINT"
}
else {
    $settings = [ordered]@{
        IsEncrypted = $false
        Values      = [ordered]@{
            FUNCTIONS_WORKER_RUNTIME = 'dotnet-isolated'
            storage                  = $env:STORAGE_BLOB_ENDPOINT
            data                     = '.data'
        }
    }
    $settings | ConvertTo-Json | Set-Content -Path $file -Encoding utf8NoBOM
    Write-Host "local.settings.json is written: the local host works on $env:STORAGE_BLOB_ENDPOINT with the identity of az login."
}

# Before the first deployment there is no trainer to scale; postdeploy sets the rule then.
if ($env:SERVICE_TRAINER_IMAGE_NAME) {
    & (Join-Path $PSScriptRoot 'scale-trainer.ps1')
    exit $LASTEXITCODE
}
