using System.Collections;
using System.Diagnostics.CodeAnalysis;

namespace Ulmfit.Model;

/// <summary>
/// Named tensors in ordinal order of their names, as PyTorch's state dict. Weights carry fastai's names (see
/// <see cref="AwdLstmNames"/>); what training adds carries the names of <see cref="TrainingStateNames"/>.
/// </summary>
[SuppressMessage("Naming", "CA1710:Identifiers should have correct suffix", Justification = "The field's name for it.")]
public sealed class StateDict : IEnumerable<KeyValuePair<string, Tensor>>
{
    private readonly SortedDictionary<string, Tensor> tensors = new(StringComparer.Ordinal);

    /// <summary>How many tensors there are.</summary>
    public int Count => tensors.Count;

    /// <summary>The names in ordinal order.</summary>
    public IEnumerable<string> Names => tensors.Keys;

    /// <summary>The tensor of that name; setting adds or replaces it.</summary>
    /// <exception cref="KeyNotFoundException">There is none of that name.</exception>
    public Tensor this[string name]
    {
        get => tensors.TryGetValue(name, out Tensor? tensor) ? tensor : throw new KeyNotFoundException($"The state has no tensor '{name}'. It has: {string.Join(", ", tensors.Keys.Take(40))}.");
        set => tensors[name] = value;
    }

    /// <summary>Looks a tensor up.</summary>
    public bool TryGet(string name, [MaybeNullWhen(false)] out Tensor tensor) => tensors.TryGetValue(name, out tensor);

    /// <summary>Whether there is a tensor of that name.</summary>
    public bool Contains(string name) => tensors.ContainsKey(name);

    /// <summary>Adds a tensor; for collection initialisers.</summary>
    public void Add(string name, Tensor tensor) => tensors.Add(name, tensor);

    /// <summary>The tensor of that name, its shape checked.</summary>
    /// <exception cref="InvalidDataException">It is missing or has another shape.</exception>
    public Tensor Require(string name, params int[] shape)
    {
        if (!tensors.TryGetValue(name, out Tensor? tensor))
        {
            throw new InvalidDataException($"The weights lack the tensor '{name}' of shape [{string.Join(", ", shape)}].");
        }

        return tensor.HasShape(shape) ? tensor : throw new InvalidDataException($"The tensor '{name}' has the shape {tensor}, but [{string.Join(", ", shape)}] was expected.");
    }

    /// <summary>The tensors whose names satisfy <paramref name="keep"/>, shared and not copied.</summary>
    public StateDict Where(Func<string, bool> keep)
    {
        ArgumentNullException.ThrowIfNull(keep);
        var kept = new StateDict();
        foreach ((string name, Tensor tensor) in tensors)
        {
            if (keep(name))
            {
                kept[name] = tensor;
            }
        }

        return kept;
    }

    /// <summary>The weights and running statistics alone: everything but what <see cref="TrainingStateNames"/> names.</summary>
    public StateDict WeightsOnly() => Where(name => !TrainingStateNames.IsTrainingState(name));

    /// <inheritdoc/>
    public IEnumerator<KeyValuePair<string, Tensor>> GetEnumerator() => tensors.GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();
}
