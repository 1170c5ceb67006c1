namespace Infra.Tests.Bicep;

internal enum DeclarationKind
{
    TargetScope,
    Metadata,
    Parameter,
    Variable,
    Resource,
    Module,
    Output,
}

/// <summary>A statement of a file.</summary>
/// <param name="Position">Where its name stands.</param>
/// <param name="Kind">What it declares.</param>
/// <param name="Name">Its symbol.</param>
/// <param name="Type">The type of a parameter, output or resource, the path of a module, or null.</param>
/// <param name="IsExisting">Whether a resource is there already.</param>
/// <param name="Value">Its value, body or default; null for a parameter that must be given.</param>
/// <param name="Decorators">What stands above it.</param>
internal sealed record Declaration(
    int Position, DeclarationKind Kind, string Name, string? Type, bool IsExisting, Expression? Value, IReadOnlyList<Call> Decorators);

/// <summary>A parsed file.</summary>
internal sealed record BicepFile(string Path, string Source, IReadOnlyList<Declaration> Declarations)
{
    public IEnumerable<Declaration> Of(DeclarationKind kind) => Declarations.Where(declaration => declaration.Kind == kind);

    public Declaration? Find(DeclarationKind kind, string name) => Of(kind).FirstOrDefault(declaration => declaration.Name == name);
}
