using Infra.Tests.Bicep;

namespace Infra.Tests;

/// <summary>The templates of <c>infra/</c>, parsed, and what they say of the apps.</summary>
internal static class Templates
{
    public const string Root = "infra/main.bicep";

    public static IReadOnlyDictionary<string, string> Sources { get; } =
        Repository.Files("infra").Where(path => Path.GetExtension(path) is ".bicep" or ".json").ToDictionary(path => path, Repository.Read, StringComparer.Ordinal);

    public static BicepFile Main { get; } = BicepParser.Parse(Root, Sources[Root]);

    /// <summary>The app settings that a template sets, those of <c>extraSettings</c> apart.</summary>
    public static IReadOnlyDictionary<string, Expression> Settings(string template)
    {
        BicepFile file = BicepParser.Parse(template, Sources[template]);
        Expression? settings = template.EndsWith("/api.bicep", StringComparison.Ordinal)
            ? (file.Find(DeclarationKind.Resource, "settings")?.Value as ObjectLiteral)?["properties"]
            : file.Find(DeclarationKind.Variable, "settings")?.Value;
        return settings is Call { Name: "union", Arguments: [_, ObjectLiteral literal] }
            ? literal.Properties.ToDictionary(property => property.Key.Value!, property => property.Value, StringComparer.Ordinal)
            : throw new InvalidDataException($"{template} does not set its settings as union(extraSettings, {{…}}).");
    }
}
