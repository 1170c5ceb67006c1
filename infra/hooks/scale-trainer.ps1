# Tells the platform how trainers are scaled: one for each activity that waits, none when none does. The platform refuses the rule
# when it creates the app and forgets it when the app is provisioned again, so that it is set after both.
Set-StrictMode -Version Latest
$ErrorActionPreference = 'Stop'
$scaling = if ($env:TRAINER_SCALING) { $env:TRAINER_SCALING } else { 'rule' }

if ($scaling -eq 'platform') {
    $scale = @{ allowScalingRuleOverride = $false; rules = @() }
}
else {
    $scale = @{
        allowScalingRuleOverride = $true
        rules                    = @(
            @{
                name   = 'training'
                custom = @{
                    type     = 'azure-durabletask-scheduler'
                    identity = $env:TRAINER_IDENTITY_ID
                    metadata = @{
                        endpoint                    = $env:SCHEDULER_ENDPOINT
                        taskhubName                 = $env:TASKHUB_NAME
                        maxConcurrentWorkItemsCount = '1'
                        workItemType                = 'Activity'
                    }
                }
            }
        )
    }
}

$body = (New-TemporaryFile).FullName
try {
    @{ properties = @{ template = @{ scale = $scale } } } | ConvertTo-Json -Depth 10 | Set-Content -Path $body -Encoding utf8NoBOM
    $app = "/subscriptions/$env:AZURE_SUBSCRIPTION_ID/resourceGroups/$env:AZURE_RESOURCE_GROUP/providers/Microsoft.App/containerApps/$env:TRAINER_NAME"
    az rest --method patch --url "${app}?api-version=2026-03-02-preview" --headers 'Content-Type=application/json' --body "@$body" --output none
    $result = $LASTEXITCODE
}
finally {
    Remove-Item -Force $body
}
if ($result -ne 0) {
    [Console]::Error.WriteLine("The trainer's scale rule could not be set. Until it can, keep a trainer running: azd env set TRAINER_MIN_REPLICAS 1 && azd env set TRAINER_SCALING platform && azd provision")
    exit 1
}
Write-Host "The trainer $env:TRAINER_NAME scales as TRAINER_SCALING says: $scaling."
exit 0
