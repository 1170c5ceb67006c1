namespace Ulmfit.Storage;

/// <summary>The opaque mark of one version of a blob. Two versions of a blob never share one, equal content or not.</summary>
/// <param name="Value">The mark as the store gave it; only equality has a meaning.</param>
public readonly record struct ETag(string Value)
{
    /// <inheritdoc />
    public override string ToString() => Value ?? "";
}
