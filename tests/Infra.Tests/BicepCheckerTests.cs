using Infra.Tests.Bicep;

namespace Infra.Tests;

/// <summary>That the checker finds each kind of fault, and none where there is none.</summary>
public sealed class BicepCheckerTests
{
    private const string Main = """
        targetScope = 'subscription'

        @description('A choice; it\'s made by the deployer.')
        @allowed([ 'one', 'two' ])
        param choice string = 'one'

        @minValue(1)
        @maxValue(9)
        param count int = 3
        param extra object = {}

        var names = {
          one: 'first' // a comment
          two: 'second'
        }
        var all = map(items(extra), item => { name: item.key, value: item.value })

        resource group 'Microsoft.Resources/resourceGroups@2024-11-01' = {
          name: 'rg-${toLower('${choice}-${names.one}')}'
          location: empty(all) ? 'here' : names[choice]
        }

        module part './parts/part.bicep' = if (count > 1 && !empty(choice)) {
          name: 'part'
          scope: group
          params: {
            name: names.two
            count: count
          }
        }

        output URL string = part.outputs.url
        """;

    private const string Part = """
        param name string
        param count int
        param tags object = {}

        var roles = loadJsonContent('../roles.json')

        resource account 'Microsoft.Storage/storageAccounts@2024-01-01' existing = {
          name: name
        }

        resource grant 'Microsoft.Authorization/roleAssignments@2022-04-01' = [for index in range(0, count): {
          name: guid(account.id, string(index), roles.pull)
          scope: account
          properties: {
            roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roles.pull)
            tags: tags
          }
        }]

        output url string = 'https://${account.name}'
        """;

    private const string Roles = """{ "pull": "7f951dda-4ed3-4680-a7ca-43fe172d538d" }""";

    [Fact]
    public void Check_TemplatesWithoutFault_FindsNone() => Assert.Empty(Check(Main, Part, Roles));

    [Theory]
    [InlineData("param choice string = 'one'", "param choice string = 'three'", "the default 'three' of 'choice' is not allowed")]
    [InlineData("param choice string = 'one'", "param choice text = 'one'", "'text' is no type")]
    [InlineData("param choice string = 'one'", "param choice int = 'one'", "'choice' is to be a Number, not a Text")]
    [InlineData("param choice string = 'one'", "param choice string = 'one", "the end of the string was expected")]
    [InlineData("@minValue(1)", "@least(1)", "@least() cannot stand above this")]
    [InlineData("@minValue(1)", "@minValue(4)", "the default 3 of 'count' is outside its bounds")]
    [InlineData("param extra object", "param extra object = {}\nparam spare object", "nobody uses 'spare'")]
    [InlineData("param extra object", "param extra object = {}\nparam extra object", "'extra' is declared twice")]
    [InlineData("param extra object", "param accountKey string\nparam extra object", "'accountKey' sounds like a secret")]
    [InlineData("var names = {", "var spare = 1\nvar names = {", "nobody uses 'spare'")]
    [InlineData("two: 'second'", "two: 'second'\n  one: 'again'", "the property 'one' is there twice")]
    [InlineData("two: 'second'", "two 'second'", "':' was expected")]
    [InlineData("item => { name: item.key", "item => { name: thing.key", "'thing' is not declared")]
    [InlineData("names.one}", "names.three}", "'names' has no 'three'")]
    [InlineData("names.one}", "nams.one}", "'nams' is not declared")]
    [InlineData("toLower(", "lower(", "lower() is no function that is known here")]
    [InlineData("empty(all)", "empty(all, all)", "empty() takes 1 to 1 arguments, not 2")]
    [InlineData("resourceGroups@2024-11-01", "resourceGroups@2024-11-31", "was not held against the published types")]
    [InlineData("  name: 'rg-", "  title: 'rg-", "the resource 'group' has no name")]
    [InlineData("./parts/part.bicep", "./parts/parts.bicep", "the module './parts/parts.bicep' is not there")]
    [InlineData("./parts/part.bicep", "./parts/parts.bicep", "infra/parts/part.bicep: nothing deploys this module")]
    [InlineData("count: count", "amount: count", "the module 'part' has no parameter 'amount'")]
    [InlineData("    count: count\n", "", "the module 'part' lacks its parameter 'count'")]
    [InlineData("count: count", "count: string(count)", "the parameter 'count' of 'part' is to be a Number, not a Text")]
    [InlineData("count: count", "count: names.one == 'x'", "the parameter 'count' of 'part' is to be a Number, not a Truth")]
    [InlineData("part.outputs.url", "part.outputs.address", "the module 'part' has no output 'address'")]
    [InlineData("part.outputs.url", "'https://x'", "nobody uses the output 'url'")]
    [InlineData("output URL string", "output URL int", "'URL' is to be a Number, not a Text")]
    [InlineData("output URL string", "output URL string = 'x'\noutput URL string", "the output 'URL' is declared twice")]
    [InlineData("output URL string = part.outputs.url", "output URL string = part.outputs.url)", "the end of the line was expected")]
    [InlineData("'here'", "'AccountName=x;AccountKey=abc'", "a key or signature in clear")]
    [InlineData("'here'", "'https://x?sv=1&sig=abc'", "a key or signature in clear")]
    [InlineData("'here'", "group.listKeys().keys[0].value", "listKeys() reads a key")]
    [InlineData("'here'", "listAccountSas('x', '2024-01-01', {}).token", "listAccountSas() reads a key")]
    [InlineData("'here'", "'b24988ac-6180-42a0-ab88-20f7382dd24c'", "an id in clear")]
    [InlineData("location: empty", "allowSharedKeyAccess: true\n  location: empty", "'allowSharedKeyAccess' lets someone in without an identity")]
    [InlineData("location: empty", "adminUserEnabled: count > 1\n  location: empty", "'adminUserEnabled' lets someone in without an identity")]
    [InlineData("targetScope = 'subscription'", "import { x } from 'y'", "'import' is no declaration that is known here")]
    public void Check_FaultInTheRoot_IsFound(string there, string instead, string fault) =>
        Assert.Contains(Check(Changed(Main, there, instead), Part, Roles), found => found.Contains(fault, StringComparison.Ordinal));

    [Theory]
    [InlineData("existing = {\n  name: name", "existing = {\n  name: 'x'", "nobody uses 'name'")]
    [InlineData("string(index)", "string(number)", "'number' is not declared")]
    [InlineData("var roles", "resource spare 'Microsoft.Storage/storageAccounts@2024-01-01' existing = {\n  name: name\n}\nvar roles", "nobody uses 'spare'")]
    [InlineData("'../roles.json'", "'./roles.json'", "./roles.json is not there")]
    [InlineData("string(index), roles.pull", "string(index), roles.push", "infra/roles.json has no 'push'")]
    [InlineData("'Microsoft.Authorization/roleDefinitions', roles.pull", "'Microsoft.Authorization/roleDefinitions', name", "the role of 'grant' is none of roles.json")]
    [InlineData("]\n\noutput", "\n\noutput", "']' was expected")]
    public void Check_FaultInAModule_IsFound(string there, string instead, string fault) =>
        Assert.Contains(Check(Main, Changed(Part, there, instead), Roles), found => found.Contains(fault, StringComparison.Ordinal));

    [Fact]
    public void Check_RoleThatNobodyGives_IsFound() =>
        Assert.Contains("infra/roles.json: nobody uses 'owner'", Check(Main, Part, """{ "pull": "x", "owner": "y" }"""));

    [Fact]
    public void Check_Fault_HasItsPlace() =>
        Assert.Equal(["infra/parts/part.bicep(1,7): nobody uses 'spare'"], Check(Main, "param spare string = ''\n" + Part, Roles));

    private static IReadOnlyList<string> Check(string main, string part, string roles) => BicepChecker.Check(
        new Dictionary<string, string> { ["infra/main.bicep"] = main, ["infra/parts/part.bicep"] = part, ["infra/roles.json"] = roles }, "infra/main.bicep");

    private static string Changed(string source, string there, string instead)
    {
        Assert.Contains(there, source, StringComparison.Ordinal);
        return source.Replace(there, instead, StringComparison.Ordinal);
    }
}
