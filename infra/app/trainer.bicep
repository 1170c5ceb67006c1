// The training activities, on a container app that scales to zero.
param name string
param environmentName string
param location string
param tags object
param image string
param gpu string
param minReplicas int
param maxReplicas int
param identityId string
param identityClientId string
param registryEndpoint string
param blobEndpoint string
param schedulerEndpoint string
param hubName string
param workspaceName string
param insightsConnection string
param extraSettings object

// A replica takes all of its GPU's node; one GPU a replica. Without a GPU it takes the most that the Consumption profile gives.
var machines = {
  none: { profile: 'Consumption', type: 'Consumption', cpu: '4', memory: '8Gi', engine: 'cpu' }
  t4: { profile: 'gpu-t4', type: 'Consumption-GPU-NC8as-T4', cpu: '8', memory: '56Gi', engine: 'torch' }
  a100: { profile: 'gpu-a100', type: 'Consumption-GPU-NC24-A100', cpu: '24', memory: '220Gi', engine: 'torch' }
}
var machine = machines[gpu]
var consumption = [ { name: 'Consumption', workloadProfileType: 'Consumption' } ]
var gpuProfiles = gpu == 'none' ? [] : [ { name: machine.profile, workloadProfileType: machine.type } ]

// Both the image of the first provisioning and the trainer's own listen here: above 1024, for a user without privileges.
var port = 8080

var settings = union(extraSettings, {
  AzureWebJobsStorage__credential: 'managedidentity'
  AzureWebJobsStorage__clientId: identityClientId
  AzureWebJobsStorage__blobServiceUri: blobEndpoint
  // Keys in files would be lost with the replica.
  AzureWebJobsSecretStorageType: 'containerapp'
  AZURE_CLIENT_ID: identityClientId
  DURABLE_TASK_SCHEDULER_CONNECTION_STRING: 'Endpoint=${schedulerEndpoint};Authentication=ManagedIdentity;ClientID=${identityClientId}'
  TASKHUB_NAME: hubName
  APPLICATIONINSIGHTS_CONNECTION_STRING: insightsConnection
  APPLICATIONINSIGHTS_AUTHENTICATION_STRING: 'ClientId=${identityClientId};Authorization=AAD'
  FUNCTIONS_WORKER_RUNTIME: 'dotnet-isolated'
  FUNCTIONS_EXTENSION_VERSION: '~4'
  ASPNETCORE_URLS: 'http://+:${port}'
  // An epoch takes as long as it takes.
  AzureFunctionsJobHost__functionTimeout: '-1'
  // One step at a time has the GPU.
  AzureFunctionsJobHost__extensions__durableTask__maxConcurrentActivityFunctions: '1'
  // Sums in the same order each time.
  CUBLAS_WORKSPACE_CONFIG: ':4096:8'
  Training__Engine: machine.engine
})

resource workspace 'Microsoft.OperationalInsights/workspaces@2023-09-01' existing = {
  name: workspaceName
}

resource hosts 'Microsoft.App/managedEnvironments@2025-07-01' = {
  name: environmentName
  location: location
  tags: tags
  properties: {
    workloadProfiles: concat(consumption, gpuProfiles)
    // By diagnostic setting: the other destination wants the workspace's key.
    appLogsConfiguration: { destination: 'azure-monitor' }
  }
}

resource logs 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  name: 'logs'
  scope: hosts
  properties: {
    workspaceId: workspace.id
    logs: [ { categoryGroup: 'allLogs', enabled: true } ]
  }
}

resource app 'Microsoft.App/containerApps@2025-07-01' = {
  name: name
  location: location
  tags: union(tags, { 'azd-service-name': 'trainer' })
  kind: 'functionapp'
  identity: {
    type: 'UserAssigned'
    userAssignedIdentities: { '${identityId}': {} }
  }
  properties: {
    environmentId: hosts.id
    workloadProfileName: machine.profile
    configuration: {
      activeRevisionsMode: 'Single'
      // Nothing calls it, but event-driven scaling asks for an ingress.
      ingress: {
        external: false
        targetPort: port
      }
      registries: [ { server: registryEndpoint, identity: identityId } ]
    }
    template: {
      // What a step has done since its last checkpoint is done again elsewhere when it does not end in this time.
      terminationGracePeriodSeconds: 600
      containers: [
        {
          name: 'trainer'
          image: empty(image) ? 'mcr.microsoft.com/k8se/quickstart-functions:latest' : image
          env: map(items(settings), setting => { name: setting.key, value: setting.value })
          resources: {
            cpu: json(machine.cpu)
            memory: machine.memory
          }
        }
      ]
      // The rule itself is refused when the app is created: hooks/scale-trainer sets it.
      scale: {
        minReplicas: minReplicas
        maxReplicas: maxReplicas
        cooldownPeriod: 300
        pollingInterval: 15
      }
    }
  }
}

output name string = app.name
