param name string
param location string
param tags object
param sku string

resource registry 'Microsoft.ContainerRegistry/registries@2023-07-01' = {
  name: name
  location: location
  tags: tags
  sku: { name: sku }
  properties: { adminUserEnabled: false }
}

output name string = registry.name
output endpoint string = registry.properties.loginServer
