using System.Text.Json;
using Microsoft.Extensions.Options;

namespace EmbeddedHost;

/// <summary>Writes the blob outputs of an invocation.</summary>
internal sealed class BlobOutputWriter(Func<IBlobOutputSink> sink, IOptions<JsonSerializerOptions> json)
{
    /// <summary>Writes what the function returned; null values are left out.</summary>
    /// <param name="context">The invocation.</param>
    /// <param name="returned">What the function returned.</param>
    /// <returns>What is left for the trigger: the value itself where only its properties were written, else null.</returns>
    public async Task<object?> WriteAsync(HostFunctionContext context, object? returned)
    {
        bool whole = false;
        foreach (BlobOutputTarget output in context.Function.Outputs)
        {
            whole |= output.Property is null;
            object? value = output.Property is null ? returned : returned is null ? null : output.Property.GetValue(returned);
            if (value is null)
            {
                continue;
            }

            (string container, string name) = output.Path.Resolve(context.BindingContext.BindingData);
            await using Stream content = BlobContent.Write(value, json.Value);
            await sink().WriteAsync(container, name, content, context.CancellationToken);
        }

        return whole ? null : returned;
    }
}
