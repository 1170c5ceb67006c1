namespace Infra.Tests.Bicep;

/// <summary>An expression and where it begins in its file.</summary>
internal abstract record Expression(int Position);

/// <summary>A string: segments with holes between them, one segment more than holes.</summary>
internal sealed record Text(int Position, IReadOnlyList<string> Segments, IReadOnlyList<Expression> Holes) : Expression(Position)
{
    /// <summary>The string, or null where it has holes.</summary>
    public string? Value => Holes.Count == 0 ? Segments[0] : null;
}

internal sealed record Number(int Position, long Value) : Expression(Position);

internal sealed record Truth(int Position, bool Value) : Expression(Position);

internal sealed record Nothing(int Position) : Expression(Position);

internal sealed record Identifier(int Position, string Name) : Expression(Position);

internal sealed record ArrayLiteral(int Position, IReadOnlyList<Expression> Items) : Expression(Position);

internal sealed record ObjectLiteral(int Position, IReadOnlyList<Property> Properties) : Expression(Position)
{
    public Expression? this[string name] => Properties.FirstOrDefault(property => property.Key.Value == name)?.Value;
}

/// <summary>A property of an object.</summary>
internal sealed record Property(Text Key, Expression Value);

internal sealed record Member(int Position, Expression Target, string Name) : Expression(Position);

internal sealed record Element(int Position, Expression Target, Expression Index) : Expression(Position);

/// <summary>A call of a function, or of a method where there is a target.</summary>
internal sealed record Call(int Position, Expression? Target, string Name, IReadOnlyList<Expression> Arguments) : Expression(Position);

internal sealed record Lambda(int Position, IReadOnlyList<string> Parameters, Expression Body) : Expression(Position);

/// <summary><c>[for x in source: body]</c></summary>
internal sealed record Loop(int Position, IReadOnlyList<string> Variables, Expression Source, Expression Body) : Expression(Position);

/// <summary><c>if (condition) body</c>, of a resource or module.</summary>
internal sealed record Conditional(int Position, Expression Condition, Expression Body) : Expression(Position);

internal sealed record Ternary(int Position, Expression Condition, Expression Then, Expression Else) : Expression(Position);

internal sealed record Binary(int Position, string Operator, Expression Left, Expression Right) : Expression(Position);

internal sealed record Unary(int Position, string Operator, Expression Operand) : Expression(Position);
