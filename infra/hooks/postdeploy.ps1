# After azd deploy: the event subscriptions of the blob triggers, whose key exists only once the code runs; the pretrained model;
# the trainer's scale rule. Everything is created or brought up to date, so that it may run any number of times.
Set-StrictMode -Version Latest
$ErrorActionPreference = 'Stop'

function Stop-Hook([string] $message) {
    [Console]::Error.WriteLine($message)
    exit 1
}

az account show --subscription $env:AZURE_SUBSCRIPTION_ID --output none
if ($LASTEXITCODE -ne 0) {
    Stop-Hook "The Azure CLI is missing or not signed in to subscription ${env:AZURE_SUBSCRIPTION_ID}: az login"
}
$group = "/subscriptions/$env:AZURE_SUBSCRIPTION_ID/resourceGroups/$env:AZURE_RESOURCE_GROUP/providers"

# The host makes the key when it has started with a blob trigger; a first start takes minutes.
$key = ''
$tries = 0
while (-not $key) {
    $key = az functionapp keys list --subscription $env:AZURE_SUBSCRIPTION_ID --resource-group $env:AZURE_RESOURCE_GROUP --name $env:API_NAME `
        --query systemKeys.blobs_extension --output tsv 2>$null
    if (-not $key) {
        $tries++
        if ($tries -gt 60) {
            Stop-Hook "After ten minutes $env:API_NAME has no system key blobs_extension: its host does not start. See its log stream, then: azd hooks run postdeploy"
        }
        Start-Sleep -Seconds 10
    }
}

# Events of new blobs of the container go to the function. The key is handed over in a file, since the arguments of a process can be
# read by others.
function Register-Trigger([string] $container, [string] $function) {
    $subscription = @{
        properties = @{
            eventDeliverySchema            = 'EventGridSchema'
            destination                    = @{
                endpointType = 'WebHook'
                properties   = @{ endpointUrl = "$env:API_URL/runtime/webhooks/blobs?functionName=Host.Functions.$function&code=$key" }
            }
            filter                         = @{
                includedEventTypes = @('Microsoft.Storage.BlobCreated')
                subjectBeginsWith  = "/blobServices/default/containers/$container/"
            }
            retryPolicy                    = @{ maxDeliveryAttempts = 30; eventTimeToLiveInMinutes = 1440 }
            deadLetterWithResourceIdentity = @{
                identity              = @{ type = 'SystemAssigned' }
                deadLetterDestination = @{
                    endpointType = 'StorageBlob'
                    properties   = @{
                        resourceId        = "$group/Microsoft.Storage/storageAccounts/$env:STORAGE_ACCOUNT_NAME"
                        blobContainerName = $env:DEAD_LETTER_CONTAINER
                    }
                }
            }
        }
    }
    $url = "$group/Microsoft.EventGrid/systemTopics/$env:EVENT_TOPIC_NAME/eventSubscriptions/${container}?api-version=2025-02-15"
    $body = (New-TemporaryFile).FullName
    try {
        $subscription | ConvertTo-Json -Depth 10 | Set-Content -Path $body -Encoding utf8NoBOM
        # Event Grid asks the function for its consent, which a host that is just starting does not give in time.
        foreach ($attempt in 1..10) {
            az rest --method put --url $url --headers 'Content-Type=application/json' --body "@$body" --output none
            $state = if ($LASTEXITCODE -eq 0) { 'Creating' } else { 'Failed' }
            while ($state -notin 'Succeeded', 'Failed') {
                Start-Sleep -Seconds 5
                $state = az rest --method get --url $url --query properties.provisioningState --output tsv
                if ($LASTEXITCODE -ne 0) { $state = 'Failed' }
            }
            if ($state -eq 'Succeeded') {
                Write-Host "New blobs of $container/ go to $function."
                return
            }
            Start-Sleep -Seconds 30
        }
    }
    finally {
        Remove-Item -Force $body
    }
    Stop-Hook "The event subscription of $container/ could not be made. Until it can, the timer finds new drops each minute. Try again: azd hooks run postdeploy"
}

# A blob of the container pretrained, unless it is there already. A role that was given minutes ago may not hold yet.
function Send-Blob([string] $file, [string] $name) {
    $sum = (Get-FileHash -Algorithm SHA256 -Path $file).Hash.ToLowerInvariant()
    $there = az storage blob show --subscription $env:AZURE_SUBSCRIPTION_ID --auth-mode login --account-name $env:STORAGE_ACCOUNT_NAME `
        --container-name pretrained --name $name --query metadata.sha256 --output tsv 2>$null
    if ($there -eq $sum) { return }
    foreach ($attempt in 1..10) {
        az storage blob upload --subscription $env:AZURE_SUBSCRIPTION_ID --auth-mode login --account-name $env:STORAGE_ACCOUNT_NAME `
            --container-name pretrained --name $name --file $file --metadata "sha256=$sum" --overwrite true --no-progress --only-show-errors --output none
        if ($LASTEXITCODE -eq 0) {
            Write-Host "pretrained/$name is uploaded."
            return
        }
        Start-Sleep -Seconds 30
    }
    Stop-Hook "pretrained/$name could not be uploaded: does $env:STORAGE_ACCOUNT_NAME grant you Storage Blob Data Contributor?"
}

Register-Trigger 'labeled' 'DropArrived'

# The model that training starts from unless settings say otherwise, or another one. Its forward weights come last: they are what
# makes it known.
$model = if ($env:PRETRAINED_DIRECTORY) { $env:PRETRAINED_DIRECTORY } else { Join-Path $PSScriptRoot '../../src/Ulmfit/Pretrained/en-small' }
foreach ($file in 'vocabulary.json', 'card.json', 'backward.safetensors', 'forward.safetensors') {
    $path = Join-Path $model $file
    if (Test-Path $path) {
        Send-Blob $path "$(Split-Path -Leaf $model)/$file"
    }
}

& (Join-Path $PSScriptRoot 'scale-trainer.ps1')
exit $LASTEXITCODE
