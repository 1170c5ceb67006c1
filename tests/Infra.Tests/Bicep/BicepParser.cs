using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;

namespace Infra.Tests.Bicep;

/// <summary>
/// Reads Bicep: parameters, variables, resources, modules, outputs, decorators and all expressions but those of user-defined types,
/// functions and imports, which it refuses by name. After the language's grammar (Azure/bicep, docs/grammar.md).
/// </summary>
internal sealed partial class BicepParser
{
    private static readonly string[][] Operators =
        [["??"], ["||"], ["&&"], ["==", "!=", "=~", "!~"], ["<=", ">=", "<", ">"], ["+", "-"], ["*", "/", "%"]];

    private readonly string text;
    private int at;

    private BicepParser(string text) => this.text = text;

    /// <summary>Parses a file.</summary>
    /// <exception cref="BicepSyntaxException">It cannot be read.</exception>
    public static BicepFile Parse(string path, string source) => new(path, source, new BicepParser(source).Declarations());

    private List<Declaration> Declarations()
    {
        var declarations = new List<Declaration>();
        for (SkipAll(); at < text.Length; SkipAll())
        {
            declarations.Add(NextDeclaration());
            SkipSpaces();
            if (at < text.Length && text[at] is not ('\n' or '\r'))
            {
                throw Expected("the end of the line");
            }
        }
        return declarations;
    }

    private Declaration NextDeclaration()
    {
        var decorators = new List<Call>();
        while (Take("@"))
        {
            decorators.Add(Postfix() as Call ?? throw Expected("a decorator, which is a call"));
            SkipAll();
        }
        int position = at;
        string keyword = Word("a declaration");
        if (keyword == "targetScope")
        {
            return new Declaration(position, DeclarationKind.TargetScope, keyword, null, false, Assigned(), decorators);
        }
        DeclarationKind kind = keyword switch
        {
            "metadata" => DeclarationKind.Metadata,
            "param" => DeclarationKind.Parameter,
            "var" => DeclarationKind.Variable,
            "resource" => DeclarationKind.Resource,
            "module" => DeclarationKind.Module,
            "output" => DeclarationKind.Output,
            _ => throw new BicepSyntaxException(position, $"'{keyword}' is no declaration that is known here"),
        };
        SkipSpaces();
        position = at;
        string name = Word("a name");
        string? type = null;
        bool isExisting = false;
        if (kind is DeclarationKind.Parameter or DeclarationKind.Output)
        {
            SkipSpaces();
            type = Word("a type");
            if (Take("[]"))
            {
                type = "array";
            }
        }
        else if (kind is DeclarationKind.Resource or DeclarationKind.Module)
        {
            SkipSpaces();
            type = (Primary() as Text)?.Value ?? throw Expected("a string without holes");
            SkipSpaces();
            isExisting = kind == DeclarationKind.Resource && TakeWord("existing");
        }
        SkipSpaces();
        bool mayLackValue = kind == DeclarationKind.Parameter;
        Expression? value = mayLackValue && !Ahead("=") ? null : Assigned();
        return new Declaration(position, kind, name, type, isExisting, value, decorators);
    }

    private Expression Assigned()
    {
        SkipSpaces();
        Require("=");
        SkipSpaces();
        return Body();
    }

    private Expression Body()
    {
        int position = at;
        if (!TakeWord("if"))
        {
            return Parse();
        }
        SkipSpaces();
        Require("(");
        SkipAll();
        Expression condition = Parse();
        SkipAll();
        Require(")");
        SkipSpaces();
        return new Conditional(position, condition, Parse());
    }

    private Expression Parse()
    {
        Expression condition = Level(0);
        int end = at;
        SkipAll();
        if (!Ahead("?") || Ahead("??"))
        {
            at = end;
            return condition;
        }
        Require("?");
        SkipAll();
        Expression then = Parse();
        SkipAll();
        Require(":");
        SkipAll();
        return new Ternary(condition.Position, condition, then, Parse());
    }

    private Expression Level(int level)
    {
        if (level == Operators.Length)
        {
            return Prefix();
        }
        Expression left = Level(level + 1);
        while (true)
        {
            SkipSpaces();
            if (Operators[level].FirstOrDefault(Ahead) is not { } found)
            {
                return left;
            }
            Require(found);
            SkipAll();
            left = new Binary(left.Position, found, left, Level(level + 1));
        }
    }

    private Expression Prefix()
    {
        int position = at;
        foreach (string sign in (string[])["!", "-"])
        {
            if (Take(sign))
            {
                return new Unary(position, sign, Prefix());
            }
        }
        return Postfix();
    }

    private Expression Postfix()
    {
        Expression target = Primary();
        while (true)
        {
            int position = at;
            if (Take("[?") || Take("["))
            {
                SkipAll();
                Expression index = Parse();
                SkipAll();
                Require("]");
                target = new Element(position, target, index);
            }
            else if (Take(".?") || Take("::") || Take("."))
            {
                string name = Word("a member");
                target = Ahead("(") ? new Call(position, target, name, Arguments()) : new Member(position, target, name);
            }
            else if (!Ahead("!") || Ahead("!=") || Ahead("!~"))
            {
                return target;
            }
            else
            {
                Require("!");
            }
        }
    }

    private Expression Primary()
    {
        int position = at;
        if (at == text.Length)
        {
            throw Expected("an expression");
        }
        if (text[at] == '\'')
        {
            return Ahead("'''") ? Verbatim() : String();
        }
        if (char.IsAsciiDigit(text[at]))
        {
            int start = at;
            while (at < text.Length && char.IsAsciiDigit(text[at]))
            {
                at++;
            }
            return new Number(position, long.Parse(text.AsSpan(start, at - start), CultureInfo.InvariantCulture));
        }
        if (LambdaHead().Match(text, at) is { Success: true } head)
        {
            at += head.Length;
            SkipAll();
            return new Lambda(position, [.. Names().Matches(head.Value).Select(name => name.Value)], Parse());
        }
        switch (text[at])
        {
            case '{':
                return Object();
            case '[':
                return Array();
            case '(':
                at++;
                SkipAll();
                Expression inner = Parse();
                SkipAll();
                Require(")");
                return inner;
        }
        string word = Word("an expression");
        return word switch
        {
            "true" => new Truth(position, true),
            "false" => new Truth(position, false),
            "null" => new Nothing(position),
            _ when Ahead("(") => new Call(position, null, word, Arguments()),
            _ => new Identifier(position, word),
        };
    }

    private List<Expression> Arguments()
    {
        Require("(");
        var arguments = new List<Expression>();
        SkipAll();
        while (!Take(")"))
        {
            arguments.Add(Parse());
            SkipAll();
            if (!Ahead(")"))
            {
                Require(",");
                SkipAll();
            }
        }
        return arguments;
    }

    private Expression Array()
    {
        int position = at;
        Require("[");
        SkipAll();
        if (TakeWord("for"))
        {
            return LoopFrom(position);
        }
        var items = new List<Expression>();
        while (!Take("]"))
        {
            items.Add(Parse());
            Separator(']');
        }
        return new ArrayLiteral(position, items);
    }

    private Loop LoopFrom(int position)
    {
        SkipSpaces();
        var variables = new List<string>();
        if (Take("("))
        {
            do
            {
                SkipSpaces();
                variables.Add(Word("a loop's variable"));
                SkipSpaces();
            }
            while (Take(","));
            Require(")");
        }
        else
        {
            variables.Add(Word("a loop's variable"));
        }
        SkipSpaces();
        if (!TakeWord("in"))
        {
            throw Expected("'in'");
        }
        SkipSpaces();
        Expression source = Parse();
        SkipSpaces();
        Require(":");
        SkipSpaces();
        Expression body = Body();
        SkipAll();
        Require("]");
        return new Loop(position, variables, source, body);
    }

    private ObjectLiteral Object()
    {
        int position = at;
        Require("{");
        var properties = new List<Property>();
        SkipAll();
        while (!Take("}"))
        {
            int start = at;
            Text key = text[at] == '\'' ? String() : new Text(start, [Word("a property")], []);
            SkipSpaces();
            Require(":");
            SkipSpaces();
            properties.Add(new Property(key, Parse()));
            Separator('}');
        }
        return new ObjectLiteral(position, properties);
    }

    // Between two items of an array or object: a comma, a new line, or both.
    private void Separator(char end)
    {
        SkipSpaces();
        if (at < text.Length && text[at] is not ('\n' or '\r' or ',') && text[at] != end)
        {
            throw Expected($"a comma, a new line or '{end}'");
        }
        Take(",");
        SkipAll();
    }

    private Text Verbatim()
    {
        int position = at, start = at + 3;
        int end = text.IndexOf("'''", start, StringComparison.Ordinal);
        if (end < 0)
        {
            throw Expected("the end of the string");
        }
        at = end + 3;
        return new Text(position, [text[start..end]], []);
    }

    private Text String()
    {
        int position = at++;
        var segments = new List<string>();
        var holes = new List<Expression>();
        var segment = new StringBuilder();
        while (true)
        {
            if (at == text.Length || text[at] is '\n' or '\r')
            {
                throw Expected("the end of the string");
            }
            char c = text[at++];
            if (c == '\'')
            {
                segments.Add(segment.ToString());
                return new Text(position, segments, holes);
            }
            if (c == '$' && Take("{"))
            {
                segments.Add(segment.ToString());
                segment.Clear();
                SkipSpaces();
                holes.Add(Parse());
                SkipSpaces();
                Require("}");
            }
            else if (c == '\\' && at < text.Length)
            {
                char escaped = text[at++];
                segment.Append(escaped switch
                {
                    'n' => '\n',
                    'r' => '\r',
                    't' => '\t',
                    '\\' or '\'' or '$' => escaped,
                    _ => throw new BicepSyntaxException(at - 2, $"\\{escaped} is no escape"),
                });
            }
            else
            {
                segment.Append(c);
            }
        }
    }

    private void SkipSpaces()
    {
        while (at < text.Length && (text[at] is ' ' or '\t' || Ahead("//") || Ahead("/*")))
        {
            if (Ahead("//"))
            {
                int end = text.AsSpan(at).IndexOfAny('\r', '\n');
                at = end < 0 ? text.Length : at + end;
            }
            else if (Ahead("/*"))
            {
                int end = text.IndexOf("*/", at, StringComparison.Ordinal);
                at = end < 0 ? throw Expected("the end of the comment") : end + 2;
            }
            else
            {
                at++;
            }
        }
    }

    private void SkipAll()
    {
        for (SkipSpaces(); at < text.Length && text[at] is '\n' or '\r'; SkipSpaces())
        {
            at++;
        }
    }

    private string Word(string what)
    {
        Match word = Names().Match(text, at);
        if (!word.Success || word.Index != at)
        {
            throw Expected(what);
        }
        at += word.Length;
        return word.Value;
    }

    private bool TakeWord(string word)
    {
        Match found = Names().Match(text, at);
        if (!found.Success || found.Index != at || found.Value != word)
        {
            return false;
        }
        at += word.Length;
        return true;
    }

    private bool Ahead(string what) => string.CompareOrdinal(text, at, what, 0, what.Length) == 0;

    private bool Take(string what)
    {
        if (!Ahead(what))
        {
            return false;
        }
        at += what.Length;
        return true;
    }

    private void Require(string what)
    {
        if (!Take(what))
        {
            throw Expected($"'{what}'");
        }
    }

    private BicepSyntaxException Expected(string what) => new(at, $"{what} was expected");

    [GeneratedRegex(@"[A-Za-z_][A-Za-z0-9_]*")]
    private static partial Regex Names();

    [GeneratedRegex(@"\G(?:\(\s*(?:[A-Za-z_]\w*(?:\s*,\s*[A-Za-z_]\w*)*)?\s*\)|[A-Za-z_]\w*)[ \t]*=>")]
    private static partial Regex LambdaHead();
}
