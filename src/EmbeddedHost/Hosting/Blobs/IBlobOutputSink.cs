namespace EmbeddedHost;

/// <summary>Where blob outputs are written. An <see cref="IBlobTriggerSource"/> that implements it too is used for both.</summary>
public interface IBlobOutputSink
{
    /// <summary>Writes a blob, over an earlier one of that name; it is there wholly or not at all.</summary>
    /// <param name="container">The container, made where absent.</param>
    /// <param name="name">The blob's name.</param>
    /// <param name="content">The content, read to its end.</param>
    /// <param name="cancellationToken">Gives up.</param>
    Task WriteAsync(string container, string name, Stream content, CancellationToken cancellationToken);
}
