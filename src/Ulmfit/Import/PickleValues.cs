namespace Ulmfit.Import;

// What a pickle is read into. Beside these: null, bool, long, BigInteger (beyond 64 bits), double, string and byte[].

/// <summary>Which of Python's sequences it was.</summary>
internal enum PickleSequenceKind
{
    List,
    Tuple,
    Set,
}

/// <summary>A list, tuple or set, its items in the order of the file.</summary>
internal sealed class PickleSequence(PickleSequenceKind kind, List<object?> items)
{
    public PickleSequenceKind Kind { get; } = kind;

    public List<object?> Items { get; } = items;

    /// <summary>Levels of containers within, itself counted.</summary>
    public int Depth { get; set; } = 1;
}

/// <summary>A dict or a kind of it.</summary>
internal sealed class PickleDictionary
{
    /// <summary>The values under keys that are strings; of equal keys the last value counts.</summary>
    public Dictionary<string, object?> Named { get; } = new(StringComparer.Ordinal);

    /// <summary>How many keys were something else; nothing that is read here has such.</summary>
    public int OtherKeys { get; set; }

    /// <summary>Levels of containers within, itself counted.</summary>
    public int Depth { get; set; } = 1;
}

/// <summary>An object of a class that is known to be data alone: its attributes are kept, and no code of the class is run.</summary>
internal sealed class PickleInstance(PickleGlobal type)
{
    public PickleGlobal Type { get; } = type;

    /// <summary>Its attributes: a dict as a rule.</summary>
    public object? State { get; set; }

    /// <summary>Levels of containers within, itself counted.</summary>
    public int Depth { get; set; } = 1;
}
