using System.Text;
using System.Text.Json;

namespace EmbeddedHost;

/// <summary>Turns a blob's content into a parameter's type, and a returned value into content.</summary>
internal static class BlobContent
{
    /// <summary>Whether a parameter can take content: a stream, text, bytes, or a class or record read from JSON.</summary>
    public static bool CanRead(Type type) =>
        type == typeof(Stream) || type == typeof(string) || type == typeof(byte[]) || type == typeof(ReadOnlyMemory<byte>)
        || (!type.IsInterface && !type.IsAbstract && !type.IsPrimitive && !type.IsPointer && !type.IsByRef
            && type.Namespace?.StartsWith("Azure.", StringComparison.Ordinal) != true);

    /// <summary>Reads content as a type.</summary>
    /// <param name="content">The content; a parameter of type stream gets it as it is.</param>
    /// <param name="type">The parameter's type.</param>
    /// <param name="json">How JSON is read.</param>
    /// <param name="cancellationToken">Gives up.</param>
    public static async ValueTask<object?> ReadAsync(Stream content, Type type, JsonSerializerOptions json, CancellationToken cancellationToken)
    {
        if (type == typeof(Stream))
        {
            return content;
        }

        if (type == typeof(string))
        {
            using var reader = new StreamReader(content, Encoding.UTF8, detectEncodingFromByteOrderMarks: true, leaveOpen: true);
            return await reader.ReadToEndAsync(cancellationToken);
        }

        if (type == typeof(byte[]) || type == typeof(ReadOnlyMemory<byte>))
        {
            using var buffer = new MemoryStream();
            await content.CopyToAsync(buffer, cancellationToken);
            byte[] bytes = buffer.ToArray();
            return type == typeof(byte[]) ? bytes : (object)new ReadOnlyMemory<byte>(bytes);
        }

        return await JsonSerializer.DeserializeAsync(content, type, json, cancellationToken);
    }

    /// <summary>Writes a value as content.</summary>
    /// <param name="value">A stream, text, bytes, or anything that is written as JSON.</param>
    /// <param name="json">How JSON is written.</param>
    public static Stream Write(object value, JsonSerializerOptions json) => value switch
    {
        Stream stream => stream,
        string text => new MemoryStream(Encoding.UTF8.GetBytes(text)),
        byte[] bytes => new MemoryStream(bytes),
        ReadOnlyMemory<byte> memory => new MemoryStream(memory.ToArray()),
        _ => new MemoryStream(JsonSerializer.SerializeToUtf8Bytes(value, value.GetType(), json)),
    };
}
