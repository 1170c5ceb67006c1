namespace Ulmfit.Import;

/// <summary>What is done where a pickle names something outside of it.</summary>
internal enum PickleGlobalKind
{
    /// <summary>Makes a dict.</summary>
    Dictionary,

    /// <summary>Makes a dict; its argument, what it would call for a missing key, is left out.</summary>
    DefaultDictionary,

    /// <summary>Makes a list.</summary>
    List,

    /// <summary>Makes a tuple.</summary>
    Tuple,

    /// <summary>Makes a set.</summary>
    Set,

    /// <summary>A type that is named and never called.</summary>
    Name,

    /// <summary>Makes bytes of a string of Latin-1, as protocols 0 to 2 write bytes.</summary>
    Encode,

    /// <summary>A type of PyTorch's storages.</summary>
    Storage,

    /// <summary>Makes a tensor over a storage.</summary>
    Tensor,

    /// <summary>Makes a parameter of a tensor.</summary>
    Parameter,

    /// <summary>Makes an object whose content is kept and not looked into.</summary>
    Instance,
}

/// <summary>A name outside the pickle that may stand in it. Nothing is imported or called: each is told apart here, by name.</summary>
/// <param name="FullName">Module and name.</param>
/// <param name="Kind">What is done.</param>
/// <param name="Element">The elements of a storage.</param>
internal sealed record PickleGlobal(string FullName, PickleGlobalKind Kind, TorchElement Element = default)
{
    private static readonly Dictionary<string, PickleGlobal> Known = Build();

    /// <summary>The global of that name, or null where it is none of those that are read.</summary>
    public static PickleGlobal? Find(string module, string name) => Known.GetValueOrDefault($"{module}.{name}");

    private static Dictionary<string, PickleGlobal> Build()
    {
        var known = new Dictionary<string, PickleGlobal>(StringComparer.Ordinal);
        void Add(PickleGlobalKind kind, params ReadOnlySpan<string> names)
        {
            foreach (string name in names)
            {
                known.Add(name, new PickleGlobal(name, kind));
            }
        }

        // Up to protocol 2 the built-in types go by the name that Python 2 had for their module.
        foreach (string module in (ReadOnlySpan<string>)["builtins", "__builtin__"])
        {
            Add(PickleGlobalKind.List, module + ".list");
            Add(PickleGlobalKind.Dictionary, module + ".dict");
            Add(PickleGlobalKind.Tuple, module + ".tuple");
            Add(PickleGlobalKind.Set, module + ".set", module + ".frozenset");
            Add(PickleGlobalKind.Name, module + ".int", module + ".long", module + ".float", module + ".str", module + ".bool");
        }

        Add(PickleGlobalKind.Dictionary, "collections.OrderedDict");
        Add(PickleGlobalKind.DefaultDictionary, "collections.defaultdict");
        Add(PickleGlobalKind.Encode, "_codecs.encode");
        Add(PickleGlobalKind.Tensor, "torch._utils._rebuild_tensor_v2", "torch._utils._rebuild_tensor");
        Add(PickleGlobalKind.Parameter, "torch._utils._rebuild_parameter");
        Add(PickleGlobalKind.Tuple, "torch.Size");

        // The vocabulary of fastai 2's data loaders, and the numbers among its optimiser's settings.
        Add(PickleGlobalKind.Instance, "fastcore.foundation.L", "fastai.data.transforms.CategoryMap");
        Add(PickleGlobalKind.Instance, "numpy.dtype", "numpy.core.multiarray.scalar", "numpy._core.multiarray.scalar");
        foreach (TorchElement element in Enum.GetValues<TorchElement>())
        {
            string name = $"torch.{element}Storage";
            known.Add(name, new PickleGlobal(name, PickleGlobalKind.Storage, element));
        }

        return known;
    }
}
