// HTTP, the blob trigger, timers, orchestrations and light activities, on Flex Consumption.
param name string
param planName string
param location string
param tags object
param identityId string
param identityClientId string
param blobEndpoint string
param queueEndpoint string
param packageContainer string
param schedulerEndpoint string
param hubName string
param insightsConnection string
param memoryMB int
param maximumInstances int
param alwaysReady int
param corsOrigins array
param dropBytes int
param settleSeconds int
param loadedModels int
param modelCheckSeconds int
param extraSettings object

resource plan 'Microsoft.Web/serverfarms@2024-04-01' = {
  name: planName
  location: location
  tags: tags
  kind: 'functionapp'
  sku: {
    name: 'FC1'
    tier: 'FlexConsumption'
  }
  properties: { reserved: true }
}

resource app 'Microsoft.Web/sites@2024-04-01' = {
  name: name
  location: location
  tags: tags
  kind: 'functionapp,linux'
  identity: {
    type: 'UserAssigned'
    userAssignedIdentities: { '${identityId}': {} }
  }
  properties: {
    serverFarmId: plan.id
    httpsOnly: true
    clientAffinityEnabled: false
    functionAppConfig: {
      deployment: {
        storage: {
          type: 'blobContainer'
          value: '${blobEndpoint}${packageContainer}'
          authentication: {
            type: 'UserAssignedIdentity'
            userAssignedIdentityResourceId: identityId
          }
        }
      }
      runtime: {
        name: 'dotnet-isolated'
        version: '10.0'
      }
      scaleAndConcurrency: {
        instanceMemoryMB: memoryMB
        maximumInstanceCount: maximumInstances
        alwaysReady: alwaysReady == 0 ? [] : [ { name: 'http', instanceCount: alwaysReady } ]
      }
    }
    siteConfig: {
      cors: { allowedOrigins: corsOrigins }
      http20Enabled: true
      minTlsVersion: '1.2'
    }
  }
}

// Deployment is signed in to with Entra; names and passwords for it are switched off.
resource ftp 'Microsoft.Web/sites/basicPublishingCredentialsPolicies@2024-04-01' = {
  parent: app
  name: 'ftp'
  properties: { allow: false }
}

resource scm 'Microsoft.Web/sites/basicPublishingCredentialsPolicies@2024-04-01' = {
  parent: app
  name: 'scm'
  properties: { allow: false }
}

resource settings 'Microsoft.Web/sites/config@2024-04-01' = {
  parent: app
  name: 'appsettings'
  properties: union(extraSettings, {
    AzureWebJobsStorage__credential: 'managedidentity'
    AzureWebJobsStorage__clientId: identityClientId
    AzureWebJobsStorage__blobServiceUri: blobEndpoint
    // Event Grid's drops wait in a queue of the account until they are worked on.
    AzureWebJobsStorage__queueServiceUri: queueEndpoint
    // The identity that DefaultAzureCredential shows, for the app's own store and its telemetry.
    AZURE_CLIENT_ID: identityClientId
    DURABLE_TASK_SCHEDULER_CONNECTION_STRING: 'Endpoint=${schedulerEndpoint};Authentication=ManagedIdentity;ClientID=${identityClientId}'
    TASKHUB_NAME: hubName
    APPLICATIONINSIGHTS_CONNECTION_STRING: insightsConnection
    APPLICATIONINSIGHTS_AUTHENTICATION_STRING: 'ClientId=${identityClientId};Authorization=AAD'
    // The page at / is the app's.
    AzureWebJobsDisableHomepage: 'true'
    // The host's own limit must not be below the app's, whose answer says what to do.
    FUNCTIONS_REQUEST_BODY_SIZE_LIMIT: string(dropBytes)
    Limits__DropBytes: string(dropBytes)
    Drops__SettleSeconds: string(settleSeconds)
    Models__Loaded: string(loadedModels)
    Models__CheckSeconds: string(modelCheckSeconds)
  })
}

output name string = app.name
output url string = 'https://${app.properties.defaultHostName}'
