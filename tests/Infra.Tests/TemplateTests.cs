using System.Text.Json;
using System.Text.RegularExpressions;
using Infra.Tests.Bicep;

namespace Infra.Tests;

/// <summary>The templates as they are.</summary>
public sealed partial class TemplateTests
{
    // Azure's built-in roles by id (Microsoft Learn, "Azure built-in roles").
    private static readonly Dictionary<string, string> BuiltInRoles = new(StringComparer.Ordinal)
    {
        ["acrPull"] = "7f951dda-4ed3-4680-a7ca-43fe172d538d",
        ["durableTaskDataContributor"] = "0ad04412-c4d5-4796-b79c-f76d14c8d402",
        ["monitoringMetricsPublisher"] = "3913510d-42f4-4e42-8a64-420c390055eb",
        ["storageBlobDataContributor"] = "ba92f5b4-2d11-453d-a403-e96b0029c9fe",
        ["storageBlobDataOwner"] = "b7e6dc6d-f1e8-4753-8033-0f276bb0955b",
        ["storageQueueDataContributor"] = "974c5e8b-45b9-4653-ba55-5f855dd0fb88",
        ["storageTableDataContributor"] = "0a9a7e1f-b9d0-4cc4-a60d-0319b160aaa3",
    };

    // What azd itself reads from the outputs.
    private static readonly string[] ReadByAzd = ["AZURE_RESOURCE_GROUP", "AZURE_CONTAINER_REGISTRY_ENDPOINT"];

    [Fact]
    public void Templates_AsTheyAre_HaveNoFault() =>
        Assert.Empty(BicepChecker.Check(Templates.Sources.Where(file => !file.Key.EndsWith("parameters.json", StringComparison.Ordinal)).ToDictionary(), Templates.Root));

    [Fact]
    public void Templates_AnyNameMisspelt_HaveAFault()
    {
        Dictionary<string, string> sources = Templates.Sources.Where(file => !file.Key.EndsWith("parameters.json", StringComparison.Ordinal)).ToDictionary();
        var overlooked = new List<string>();
        int tried = 0;
        foreach ((string path, string source) in sources.Where(file => file.Key.EndsWith(".bicep", StringComparison.Ordinal)))
        {
            foreach ((int position, string name) in Names(BicepParser.Parse(path, source)))
            {
                tried++;
                var changed = new Dictionary<string, string>(sources) { [path] = source.Insert(position + name.Length, "x") };
                if (BicepChecker.Check(changed, Templates.Root).Count == 0)
                {
                    overlooked.Add($"{path}: {name} at {position}");
                }
            }
        }
        Assert.Empty(overlooked);
        Assert.True(tried > 400, $"{tried} names were tried.");
    }

    [Fact]
    public void ResourceTypes_ThatWereChecked_AreThoseThatAreUsed() =>
        Assert.Equal(
            ResourceTypes.Known.Order(StringComparer.Ordinal),
            Templates.Sources.Where(file => file.Key.EndsWith(".bicep", StringComparison.Ordinal))
                .SelectMany(file => BicepParser.Parse(file.Key, file.Value).Of(DeclarationKind.Resource)).Select(resource => resource.Type!).Distinct().Order(StringComparer.Ordinal));

    [Fact]
    public void Roles_EachId_IsThatOfItsName()
    {
        using var roles = JsonDocument.Parse(Templates.Sources["infra/roles.json"]);
        Assert.All(roles.RootElement.EnumerateObject(), role => Assert.Equal(BuiltInRoles.GetValueOrDefault(role.Name), role.Value.GetString()));
    }

    [Fact]
    public void Parameters_OfTheRoot_CanBeSetAndHaveTheSameDefaultTwice()
    {
        using var document = JsonDocument.Parse(Templates.Sources["infra/main.parameters.json"]);
        Dictionary<string, JsonElement> given = document.RootElement.GetProperty("parameters").EnumerateObject().ToDictionary(one => one.Name, one => one.Value.GetProperty("value").Clone());
        Declaration[] declared = [.. Templates.Main.Of(DeclarationKind.Parameter)];

        // Who deploys is known to the deployment itself.
        Assert.Equal(declared.Select(one => one.Name).Where(name => name != "principalId").Order(), given.Keys.Order());
        Assert.All(declared.Where(one => one.Decorators.All(decorator => decorator.Name != "description")), one => Assert.Fail($"{one.Name} has no description."));
        foreach (Declaration parameter in declared.Where(one => given.ContainsKey(one.Name) && one.Value is not (null or ObjectLiteral)))
        {
            string standard = parameter.Value switch
            {
                Text { Value: { } text } => text,
                Number number => $"{number.Value}",
                _ => throw new InvalidDataException($"The default of {parameter.Name} is neither text nor number."),
            };
            Match placeholder = Placeholder().Match(given[parameter.Name].GetString()!);
            Assert.True(placeholder.Success, $"{parameter.Name} is no ${{NAME=default}}.");
            Assert.Equal($"{parameter.Name} {standard}", $"{parameter.Name} {placeholder.Groups["default"].Value}");
        }
    }

    [Fact]
    public void Parameters_OfTheRoot_AreExplainedInTheGuide()
    {
        string guide = Repository.Read("docs/deploy.md");
        Assert.All(Placeholder().Matches(Templates.Sources["infra/main.parameters.json"]), placeholder =>
            Assert.Contains(placeholder.Groups["name"].Value, guide, StringComparison.Ordinal));
        Assert.Contains("extraSettings", guide, StringComparison.Ordinal);
    }

    [Fact]
    public void Outputs_OfTheRoot_AreUsedByHooksServicesOrGuide()
    {
        string users = string.Concat(Repository.Files("infra/hooks").Append("azure.yaml").Append("docs/deploy.md").Select(Repository.Read));
        Assert.All(Templates.Main.Of(DeclarationKind.Output).Select(output => output.Name).Except(ReadByAzd), output => Assert.Matches($@"\b{output}\b", users));
    }

    [Fact]
    public void Containers_OfTheAccount_AreThoseOfTheCode()
    {
        string[] inCode = [.. ConstantText().Matches(Repository.Read("src/Ulmfit.Pipeline/Containers.cs")).Select(constant => constant.Groups[1].Value)];
        var containers = (ObjectLiteral)Templates.Main.Find(DeclarationKind.Variable, "containers")!.Value!;
        string[] deployed = [.. containers.Properties.Select(property => ((Text)property.Value).Value!)];
        Assert.NotEmpty(inCode);
        Assert.Empty(inCode.Except(deployed));
    }

    [Fact]
    public void Alerts_PhrasesThatTheyLookFor_AreInTheLogMessagesOfTheApp()
    {
        string messages = string.Concat(Repository.Files("src/Ulmfit.Functions", "*.cs").Select(Repository.Read));
        MatchCollection phrases = Phrase().Matches(Templates.Sources["infra/app/alerts.bicep"]);
        Assert.NotEmpty(phrases);
        Assert.All(phrases, phrase => Assert.Matches(@"LoggerMessage\(\d+, LogLevel\.(Error|Critical), ""[^""]*" + Regex.Escape(phrase.Groups[1].Value), messages));
    }

    [Fact]
    public void Services_OfAzd_HaveOneResourceEach()
    {
        string[] services = [.. Service().Matches(Repository.Read("azure.yaml")).Select(service => service.Groups[1].Value)];
        string[] tags = [.. Templates.Sources.Values.SelectMany(source => ServiceTag().Matches(source)).Select(tag => tag.Groups[1].Value)];
        Assert.Equal(["api", "trainer"], services);
        Assert.Equal(services, tags.Order());
    }

    [Theory]
    [InlineData("AccountKey=")]
    [InlineData("SharedAccessSignature")]
    [InlineData("primarySharedKey")]
    [InlineData("--account-key")]
    [InlineData("--sas-token")]
    [InlineData("--connection-string")]
    [InlineData("listKeys")]
    [InlineData("InstrumentationKey=")]
    public void Files_ThatDeploy_HoldNoKeyAndAskForNone(string sign)
    {
        IEnumerable<string> files = Repository.Files("infra").Append("azure.yaml").Append("src/Ulmfit.Functions/Dockerfile").Append("local.settings.sample.json");
        Assert.All(files, path => Assert.DoesNotContain(sign, Repository.Read(path), StringComparison.OrdinalIgnoreCase));
        Assert.All(files, path => Assert.DoesNotMatch(LikeAKey(), Repository.Read(path)));
    }

    // Where symbols are used and declared, and the parameters that modules are given.
    private static IEnumerable<(int Position, string Name)> Names(BicepFile file)
    {
        foreach (Declaration declaration in file.Declarations.Where(one => one.Kind is not (DeclarationKind.TargetScope or DeclarationKind.Output)))
        {
            // A resource or module that nothing refers to may have any name.
            if (declaration.Kind is DeclarationKind.Parameter or DeclarationKind.Variable || Uses(file, declaration.Name))
            {
                yield return (declaration.Position, declaration.Name);
            }
            if (declaration.Kind == DeclarationKind.Module && (declaration.Value as ObjectLiteral)?["params"] is ObjectLiteral given)
            {
                foreach (Property property in given.Properties)
                {
                    yield return (property.Key.Position, property.Key.Value!);
                }
            }
        }
        foreach (Identifier identifier in file.Declarations.SelectMany(one => All(one.Value)).OfType<Identifier>())
        {
            yield return (identifier.Position, identifier.Name);
        }
    }

    private static bool Uses(BicepFile file, string name) => file.Declarations.SelectMany(one => All(one.Value)).OfType<Identifier>().Any(identifier => identifier.Name == name);

    private static IEnumerable<Expression> All(Expression? expression)
    {
        IEnumerable<Expression> children = expression switch
        {
            Text text => text.Holes,
            ArrayLiteral array => array.Items,
            ObjectLiteral literal => literal.Properties.SelectMany(property => new[] { property.Key, property.Value }),
            Member member => [member.Target],
            Element element => [element.Target, element.Index],
            Call { Target: { } target } call => [target, .. call.Arguments],
            Call call => call.Arguments,
            Lambda lambda => [lambda.Body],
            Loop loop => [loop.Source, loop.Body],
            Conditional conditional => [conditional.Condition, conditional.Body],
            Ternary ternary => [ternary.Condition, ternary.Then, ternary.Else],
            Binary binary => [binary.Left, binary.Right],
            Unary unary => [unary.Operand],
            _ => [],
        };
        return expression is null ? [] : children.SelectMany(All).Append(expression);
    }

    [GeneratedRegex(@"\$\{(?<name>[A-Z_]+)(?:=(?<default>[^}]*))?\}")]
    private static partial Regex Placeholder();

    [GeneratedRegex("const string \\w+ = \"([^\"]+)\"")]
    private static partial Regex ConstantText();

    [GeneratedRegex("contains \"([^\"]+)\"")]
    private static partial Regex Phrase();

    [GeneratedRegex(@"^  (\w+):\r?$(?=\r?\n    (?:project|host):)", RegexOptions.Multiline)]
    private static partial Regex Service();

    [GeneratedRegex("'azd-service-name': '(\\w+)'")]
    private static partial Regex ServiceTag();

    // Storage keys, function keys and the like: base64 of 32 bytes or more, and no NAME=value.
    [GeneratedRegex(@"[A-Za-z0-9+/_-]{43,}={1,2}(?![A-Za-z0-9])")]
    private static partial Regex LikeAKey();
}
