targetScope = 'subscription'

@description('Name of the azd environment; with subscription and region it decides the names of all resources.')
@minLength(1)
@maxLength(64)
param environmentName string

@description('Region of all resources. It must have the GPU that is asked for: docs/deploy.md lists regions.')
@metadata({ azd: { type: 'location' } })
param location string

@description('Region of the Durable Task Scheduler, where it is not offered in the region of the rest; empty for the same.')
param schedulerLocation string = ''

@description('Who deploys: may upload to the storage account and see the scheduler\'s dashboard.')
param principalId string = deployer().objectId

@description('What kind of principal deploys: a pipeline is a ServicePrincipal.')
@allowed([ 'User', 'ServicePrincipal', 'Group' ])
param principalType string = 'User'

@description('GPU of the trainer. none trains on four processors, with the embedded engine.')
@allowed([ 'none', 't4', 'a100' ])
param gpu string = 't4'

@description('Trainers that stay when nothing is trained. 0 costs nothing; 1 is the way out where scaling from zero does not work.')
@minValue(0)
@maxValue(10)
param trainerMinReplicas int = 0

@description('Most trainers at once. A run has two directions, which train side by side.')
@minValue(1)
@maxValue(10)
param trainerMaxReplicas int = 2

@description('The trainer\'s image; empty before the first deployment, kept by azd after it.')
param trainerImage string = ''

@description('Consumption is billed by the action; Dedicated has a fixed price for each unit of capacity.')
@allowed([ 'Consumption', 'Dedicated' ])
param schedulerSku string = 'Consumption'

@description('Units of a Dedicated scheduler; three are highly available.')
@minValue(1)
@maxValue(3)
param schedulerCapacity int = 1

@description('Days that the history of ended orchestrations is kept. A Consumption scheduler keeps at most 30.')
@minValue(1)
@maxValue(90)
param historyDays int = 14

@description('Redundancy of the storage account.')
@allowed([ 'Standard_LRS', 'Standard_ZRS', 'Standard_GRS', 'Standard_RAGRS', 'Standard_GZRS', 'Standard_RAGZRS' ])
param storageSku string = 'Standard_LRS'

@description('Days that a deleted blob can be brought back.')
@minValue(1)
@maxValue(365)
param undeleteDays int = 7

@description('Tier of the container registry. Premium can stream images, which shortens a trainer\'s start.')
@allowed([ 'Basic', 'Standard', 'Premium' ])
param registrySku string = 'Basic'

@description('Memory of an instance of the api. Models are held in memory: a base model takes some 250 MB.')
@allowed([ 512, 2048, 4096 ])
param apiMemoryMB int = 2048

@description('Most instances of the api.')
@minValue(1)
@maxValue(1000)
param apiMaximumInstances int = 40

@description('Instances of the api that are always ready for requests. 0 costs nothing; 1 avoids cold starts.')
@minValue(0)
@maxValue(20)
param apiAlwaysReady int = 0

@description('Origins whose pages may call the api, separated by commas; empty for none.')
param corsOrigins string = ''

@description('Who is told of alerts by mail; empty shows them in the portal alone.')
param alertEmail string = ''

@description('Days that logs are kept.')
@minValue(30)
@maxValue(730)
param logDays int = 30

@description('Seconds without a change in a data set\'s drops before a run begins (Drops:SettleSeconds).')
@minValue(1)
@maxValue(86400)
param settleSeconds int = 30

@description('Most bytes of a drop (Limits:DropBytes) and of a request to the api.')
@minValue(1048576)
@maxValue(1073741824)
param dropBytes int = 104857600

@description('Champions that an instance of the api holds in memory (Models:Loaded).')
@minValue(1)
@maxValue(1000)
param loadedModels int = 8

@description('Seconds between two looks for a new champion (Models:CheckSeconds).')
@minValue(1)
@maxValue(3600)
param modelCheckSeconds int = 10

@description('Any other setting of docs/settings.md, for both apps: names as in the environment, values as text.')
param extraSettings object = {}

var abbreviations = loadJsonContent('./abbreviations.json')
var token = toLower(uniqueString(subscription().id, environmentName, location))
var tags = { 'azd-env-name': environmentName }
var containers = {
  labeled: 'labeled'
  unlabeled: 'unlabeled'
  pretrained: 'pretrained'
  state: 'state'
  models: 'models'
  deadLetters: 'dead-letters'
  package: 'api-package'
}

resource group 'Microsoft.Resources/resourceGroups@2024-11-01' = {
  name: '${abbreviations.resourceGroup}${environmentName}'
  location: location
  tags: tags
}

module monitoring './core/monitoring.bicep' = {
  name: 'monitoring'
  scope: group
  params: {
    workspaceName: '${abbreviations.logAnalyticsWorkspace}${token}'
    insightsName: '${abbreviations.applicationInsights}${token}'
    location: location
    tags: tags
    retentionDays: logDays
  }
}

module storage './core/storage.bicep' = {
  name: 'storage'
  scope: group
  params: {
    name: '${abbreviations.storageAccount}${token}'
    location: location
    tags: tags
    sku: storageSku
    containers: map(items(containers), item => item.value)
    undeleteDays: undeleteDays
  }
}

module scheduler './core/scheduler.bicep' = {
  name: 'scheduler'
  scope: group
  params: {
    name: '${abbreviations.scheduler}${token}'
    hubName: '${abbreviations.taskHub}${token}'
    location: empty(schedulerLocation) ? location : schedulerLocation
    tags: tags
    sku: schedulerSku
    capacity: schedulerCapacity
    historyDays: historyDays
  }
}

module registry './core/registry.bicep' = {
  name: 'registry'
  scope: group
  params: {
    name: '${abbreviations.containerRegistry}${token}'
    location: location
    tags: tags
    sku: registrySku
  }
}

module identities './core/identities.bicep' = {
  name: 'identities'
  scope: group
  params: {
    apiName: '${abbreviations.identity}api-${token}'
    trainerName: '${abbreviations.identity}trainer-${token}'
    location: location
    tags: tags
  }
}

module events './core/events.bicep' = {
  name: 'events'
  scope: group
  params: {
    name: '${abbreviations.eventGridSystemTopic}${token}'
    location: location
    tags: tags
    storageAccountName: storage.outputs.name
    deadLetterContainer: containers.deadLetters
  }
}

module access './app/access.bicep' = {
  name: 'access'
  scope: group
  params: {
    storageAccountName: storage.outputs.name
    insightsName: monitoring.outputs.insightsName
    schedulerName: scheduler.outputs.name
    registryName: registry.outputs.name
    apiPrincipalId: identities.outputs.apiPrincipalId
    trainerPrincipalId: identities.outputs.trainerPrincipalId
    deployerPrincipalId: principalId
    deployerPrincipalType: principalType
  }
}

module api './app/api.bicep' = {
  name: 'api'
  scope: group
  // The platform reads the package with the app's identity as soon as the app is there.
  dependsOn: [ access ]
  params: {
    name: '${abbreviations.functionApp}api-${token}'
    planName: '${abbreviations.appServicePlan}api-${token}'
    location: location
    tags: union(tags, { 'azd-service-name': 'api' })
    identityId: identities.outputs.apiId
    identityClientId: identities.outputs.apiClientId
    blobEndpoint: storage.outputs.blobEndpoint
    queueEndpoint: storage.outputs.queueEndpoint
    packageContainer: containers.package
    schedulerEndpoint: scheduler.outputs.endpoint
    hubName: scheduler.outputs.hubName
    insightsConnection: monitoring.outputs.insightsConnection
    memoryMB: apiMemoryMB
    maximumInstances: apiMaximumInstances
    alwaysReady: apiAlwaysReady
    corsOrigins: empty(corsOrigins) ? [] : map(split(corsOrigins, ','), origin => trim(origin))
    dropBytes: dropBytes
    settleSeconds: settleSeconds
    loadedModels: loadedModels
    modelCheckSeconds: modelCheckSeconds
    extraSettings: extraSettings
  }
}

module trainer './app/trainer.bicep' = {
  name: 'trainer'
  scope: group
  // The image is pulled, the queue of work is read and the host's storage is opened with the app's identity.
  dependsOn: [ access ]
  params: {
    name: '${abbreviations.containerApp}trainer-${token}'
    environmentName: '${abbreviations.containerAppsEnvironment}${token}'
    location: location
    tags: tags
    image: trainerImage
    gpu: gpu
    minReplicas: trainerMinReplicas
    maxReplicas: max(trainerMaxReplicas, trainerMinReplicas)
    identityId: identities.outputs.trainerId
    identityClientId: identities.outputs.trainerClientId
    registryEndpoint: registry.outputs.endpoint
    blobEndpoint: storage.outputs.blobEndpoint
    schedulerEndpoint: scheduler.outputs.endpoint
    hubName: scheduler.outputs.hubName
    workspaceName: monitoring.outputs.workspaceName
    insightsConnection: monitoring.outputs.insightsConnection
    extraSettings: extraSettings
  }
}

module alerts './app/alerts.bicep' = {
  name: 'alerts'
  scope: group
  params: {
    location: location
    tags: tags
    groupName: '${abbreviations.actionGroup}${token}'
    email: alertEmail
    workspaceName: monitoring.outputs.workspaceName
    schedulerName: scheduler.outputs.name
    topicName: events.outputs.name
  }
}

output AZURE_RESOURCE_GROUP string = group.name
output AZURE_CONTAINER_REGISTRY_ENDPOINT string = registry.outputs.endpoint
output API_NAME string = api.outputs.name
output API_URL string = api.outputs.url
output STORAGE_ACCOUNT_NAME string = storage.outputs.name
output STORAGE_BLOB_ENDPOINT string = storage.outputs.blobEndpoint
output EVENT_TOPIC_NAME string = events.outputs.name
output DEAD_LETTER_CONTAINER string = containers.deadLetters
output SCHEDULER_ENDPOINT string = scheduler.outputs.endpoint
output TASKHUB_NAME string = scheduler.outputs.hubName
output TRAINER_NAME string = trainer.outputs.name
output TRAINER_IDENTITY_ID string = identities.outputs.trainerId
output TRAINER_TORCH_DEVICE string = gpu == 'none' ? 'none' : 'cuda'
