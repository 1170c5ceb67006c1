using System.Text;
using System.Text.Json;

namespace Ulmfit.Storage;

/// <summary>Bytes, text and JSON over <see cref="IBlobStore"/>. Text is UTF-8 without a byte-order mark.</summary>
public static class BlobStoreExtensions
{
    private static readonly UTF8Encoding Utf8 = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);
    private static readonly JsonSerializerOptions DefaultJson = new(JsonSerializerDefaults.Web) { WriteIndented = true };

    /// <summary>Whether a blob exists.</summary>
    /// <param name="store">The store.</param>
    /// <param name="container">The container.</param>
    /// <param name="name">The blob.</param>
    /// <param name="ct">Cancels the call.</param>
    /// <returns>Whether it does.</returns>
    public static async Task<bool> ExistsAsync(this IBlobStore store, string container, string name, CancellationToken ct = default) =>
        await store.GetInfoAsync(container, name, ct).ConfigureAwait(false) is not null;

    /// <summary>Reads a blob's bytes.</summary>
    /// <param name="store">The store.</param>
    /// <param name="container">The container.</param>
    /// <param name="name">The blob.</param>
    /// <param name="ct">Cancels the call.</param>
    /// <returns>The bytes, or null when the blob is absent.</returns>
    public static async Task<byte[]?> GetBytesAsync(this IBlobStore store, string container, string name, CancellationToken ct = default) =>
        (await store.GetAsync(container, name, ct).ConfigureAwait(false))?.Bytes;

    /// <summary>Reads a UTF-8 text; a byte-order mark is skipped.</summary>
    /// <param name="store">The store.</param>
    /// <param name="container">The container.</param>
    /// <param name="name">The blob.</param>
    /// <param name="ct">Cancels the call.</param>
    /// <returns>The text, or null when the blob is absent.</returns>
    /// <exception cref="InvalidDataException">The blob is not UTF-8.</exception>
    public static async Task<string?> GetTextAsync(this IBlobStore store, string container, string name, CancellationToken ct = default)
    {
        if (await store.GetAsync(container, name, ct).ConfigureAwait(false) is not { } blob)
        {
            return null;
        }
        ReadOnlySpan<byte> bytes = blob.Bytes;
        if (bytes.StartsWith(Encoding.UTF8.Preamble))
        {
            bytes = bytes[Encoding.UTF8.Preamble.Length..];
        }
        try
        {
            return Utf8.GetString(bytes);
        }
        catch (DecoderFallbackException e)
        {
            throw new InvalidDataException($"{container}/{name} is not UTF-8 text (byte {e.Index}).", e);
        }
    }

    /// <summary>Reads a JSON blob together with the version it was read from.</summary>
    /// <typeparam name="T">What the JSON describes.</typeparam>
    /// <param name="store">The store.</param>
    /// <param name="container">The container.</param>
    /// <param name="name">The blob.</param>
    /// <param name="options">How to read it; camelCase by default.</param>
    /// <param name="ct">Cancels the call.</param>
    /// <returns>The value and its version, or null when the blob is absent.</returns>
    /// <exception cref="InvalidDataException">The blob is not JSON, or not of this shape.</exception>
    public static async Task<BlobDocument<T>?> GetJsonAsync<T>(
        this IBlobStore store, string container, string name, JsonSerializerOptions? options = null, CancellationToken ct = default)
    {
        if (await store.GetAsync(container, name, ct).ConfigureAwait(false) is not { } blob)
        {
            return null;
        }
        try
        {
            ReadOnlySpan<byte> bytes = blob.Bytes;
            if (bytes.StartsWith(Encoding.UTF8.Preamble))
            {
                bytes = bytes[Encoding.UTF8.Preamble.Length..];
            }
            var value = JsonSerializer.Deserialize<T>(bytes, options ?? DefaultJson)
                ?? throw new InvalidDataException($"{container}/{name} holds null where {typeof(T).Name} was expected.");
            return new BlobDocument<T>(blob.Info, value);
        }
        catch (JsonException e)
        {
            throw new InvalidDataException($"{container}/{name} is not the JSON of {typeof(T).Name}: {e.Message}", e);
        }
    }

    /// <summary>Writes bytes, whether or not the blob exists.</summary>
    /// <param name="store">The store.</param>
    /// <param name="container">The container.</param>
    /// <param name="name">The blob.</param>
    /// <param name="content">The content.</param>
    /// <param name="ct">Cancels the call.</param>
    /// <returns>The version written.</returns>
    public static async Task<BlobInfo> PutAsync(
        this IBlobStore store, string container, string name, byte[] content, CancellationToken ct = default)
    {
        using var stream = new MemoryStream(content, writable: false);
        return await store.PutAsync(container, name, stream, ct).ConfigureAwait(false);
    }

    /// <summary>Writes bytes to a blob that must not exist.</summary>
    /// <param name="store">The store.</param>
    /// <param name="container">The container.</param>
    /// <param name="name">The blob.</param>
    /// <param name="content">The content.</param>
    /// <param name="ct">Cancels the call.</param>
    /// <returns>The version written, or null when the blob exists.</returns>
    public static async Task<BlobInfo?> PutIfAbsentAsync(
        this IBlobStore store, string container, string name, byte[] content, CancellationToken ct = default)
    {
        using var stream = new MemoryStream(content, writable: false);
        return await store.PutIfAbsentAsync(container, name, stream, ct).ConfigureAwait(false);
    }

    /// <summary>Replaces the version of a blob that the caller has seen with bytes.</summary>
    /// <param name="store">The store.</param>
    /// <param name="container">The container.</param>
    /// <param name="name">The blob.</param>
    /// <param name="content">The content.</param>
    /// <param name="etag">The version to replace.</param>
    /// <param name="ct">Cancels the call.</param>
    /// <returns>The version written, or null when the race is lost.</returns>
    public static async Task<BlobInfo?> PutIfMatchAsync(
        this IBlobStore store, string container, string name, byte[] content, ETag etag, CancellationToken ct = default)
    {
        using var stream = new MemoryStream(content, writable: false);
        return await store.PutIfMatchAsync(container, name, stream, etag, ct).ConfigureAwait(false);
    }

    /// <summary>Writes a text, whether or not the blob exists.</summary>
    /// <param name="store">The store.</param>
    /// <param name="container">The container.</param>
    /// <param name="name">The blob.</param>
    /// <param name="text">The content.</param>
    /// <param name="ct">Cancels the call.</param>
    /// <returns>The version written.</returns>
    public static Task<BlobInfo> PutTextAsync(this IBlobStore store, string container, string name, string text, CancellationToken ct = default) =>
        store.PutAsync(container, name, Utf8.GetBytes(text), ct);

    /// <summary>Writes a text to a blob that must not exist.</summary>
    /// <param name="store">The store.</param>
    /// <param name="container">The container.</param>
    /// <param name="name">The blob.</param>
    /// <param name="text">The content.</param>
    /// <param name="ct">Cancels the call.</param>
    /// <returns>The version written, or null when the blob exists.</returns>
    public static Task<BlobInfo?> PutTextIfAbsentAsync(
        this IBlobStore store, string container, string name, string text, CancellationToken ct = default) =>
        store.PutIfAbsentAsync(container, name, Utf8.GetBytes(text), ct);

    /// <summary>Writes a value as JSON, whether or not the blob exists.</summary>
    /// <typeparam name="T">What the JSON describes.</typeparam>
    /// <param name="store">The store.</param>
    /// <param name="container">The container.</param>
    /// <param name="name">The blob.</param>
    /// <param name="value">The value.</param>
    /// <param name="options">How to write it; camelCase and indented by default.</param>
    /// <param name="ct">Cancels the call.</param>
    /// <returns>The version written.</returns>
    public static Task<BlobInfo> PutJsonAsync<T>(
        this IBlobStore store, string container, string name, T value, JsonSerializerOptions? options = null, CancellationToken ct = default) =>
        store.PutAsync(container, name, JsonSerializer.SerializeToUtf8Bytes(value, options ?? DefaultJson), ct);

    /// <summary>Writes a value as JSON to a blob that must not exist.</summary>
    /// <typeparam name="T">What the JSON describes.</typeparam>
    /// <param name="store">The store.</param>
    /// <param name="container">The container.</param>
    /// <param name="name">The blob.</param>
    /// <param name="value">The value.</param>
    /// <param name="options">How to write it; camelCase and indented by default.</param>
    /// <param name="ct">Cancels the call.</param>
    /// <returns>The version written, or null when the blob exists.</returns>
    public static Task<BlobInfo?> PutJsonIfAbsentAsync<T>(
        this IBlobStore store, string container, string name, T value, JsonSerializerOptions? options = null, CancellationToken ct = default) =>
        store.PutIfAbsentAsync(container, name, JsonSerializer.SerializeToUtf8Bytes(value, options ?? DefaultJson), ct);

    /// <summary>Replaces the version of a blob that the caller has seen with a value as JSON.</summary>
    /// <typeparam name="T">What the JSON describes.</typeparam>
    /// <param name="store">The store.</param>
    /// <param name="container">The container.</param>
    /// <param name="name">The blob.</param>
    /// <param name="value">The value.</param>
    /// <param name="etag">The version to replace.</param>
    /// <param name="options">How to write it; camelCase and indented by default.</param>
    /// <param name="ct">Cancels the call.</param>
    /// <returns>The version written, or null when the race is lost.</returns>
    public static Task<BlobInfo?> PutJsonIfMatchAsync<T>(
        this IBlobStore store, string container, string name, T value, ETag etag, JsonSerializerOptions? options = null, CancellationToken ct = default) =>
        store.PutIfMatchAsync(container, name, JsonSerializer.SerializeToUtf8Bytes(value, options ?? DefaultJson), etag, ct);
}
