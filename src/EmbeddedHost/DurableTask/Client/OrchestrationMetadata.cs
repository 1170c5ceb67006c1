using System.Collections.Immutable;
using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Text;

namespace Microsoft.DurableTask.Client;

/// <summary>What a query tells of an orchestration instance.</summary>
public sealed class OrchestrationMetadata
{
    private const int LongestPayloadShown = 50;

    /// <summary>The metadata of an instance.</summary>
    /// <param name="name">The orchestrator's name.</param>
    /// <param name="instanceId">The instance's id.</param>
    public OrchestrationMetadata(string name, string instanceId)
    {
        Name = name;
        InstanceId = instanceId;
    }

    /// <summary>The orchestrator's name.</summary>
    public string Name { get; }

    /// <summary>The instance's id.</summary>
    public string InstanceId { get; }

    /// <summary>What reads the payloads; null where payloads were not asked for.</summary>
    public DataConverter? DataConverter { get; init; }

    /// <summary>Where the instance stands.</summary>
    public OrchestrationRuntimeStatus RuntimeStatus { get; init; }

    /// <summary>When it was scheduled.</summary>
    public DateTimeOffset CreatedAt { get; init; }

    /// <summary>When its history last grew.</summary>
    public DateTimeOffset LastUpdatedAt { get; init; }

    /// <summary>Its input, where payloads were asked for.</summary>
    public string? SerializedInput { get; init; }

    /// <summary>Its output, where payloads were asked for; of a failed instance the failure's message, which is not JSON.</summary>
    public string? SerializedOutput { get; init; }

    /// <summary>Its custom status, where payloads were asked for.</summary>
    public string? SerializedCustomStatus { get; init; }

    /// <summary>The tags that it was scheduled with.</summary>
    public IReadOnlyDictionary<string, string> Tags { get; init; } = ImmutableDictionary<string, string>.Empty;

    /// <summary>Why it failed, where payloads were asked for.</summary>
    public TaskFailureDetails? FailureDetails { get; init; }

    /// <summary>Whether it is running, and neither pending nor suspended.</summary>
    public bool IsRunning => RuntimeStatus == OrchestrationRuntimeStatus.Running;

    /// <summary>Whether it has ended.</summary>
    public bool IsCompleted => RuntimeStatus
        is OrchestrationRuntimeStatus.Completed or OrchestrationRuntimeStatus.Failed or OrchestrationRuntimeStatus.Terminated;

    /// <summary>The input.</summary>
    /// <typeparam name="T">Its type.</typeparam>
    /// <returns>The input.</returns>
    /// <exception cref="InvalidOperationException">Payloads were not asked for.</exception>
    public T? ReadInputAs<T>() => Converter(nameof(ReadInputAs)).Deserialize<T>(SerializedInput);

    /// <summary>The output.</summary>
    /// <typeparam name="T">Its type.</typeparam>
    /// <returns>The output.</returns>
    /// <exception cref="InvalidOperationException">Payloads were not asked for.</exception>
    public T? ReadOutputAs<T>() => Converter(nameof(ReadOutputAs)).Deserialize<T>(SerializedOutput);

    /// <summary>The custom status.</summary>
    /// <typeparam name="T">Its type.</typeparam>
    /// <returns>The custom status.</returns>
    /// <exception cref="InvalidOperationException">Payloads were not asked for.</exception>
    public T? ReadCustomStatusAs<T>() => Converter(nameof(ReadCustomStatusAs)).Deserialize<T>(SerializedCustomStatus);

    /// <inheritdoc/>
    public override string ToString()
    {
        var text = new StringBuilder();
        text.Append(
            CultureInfo.InvariantCulture,
            $"[Name: '{Name}', ID: '{InstanceId}', RuntimeStatus: {RuntimeStatus}, CreatedAt: {CreatedAt:s}, LastUpdatedAt: {LastUpdatedAt:s}");
        AppendPayload(text, "Input", SerializedInput);
        AppendPayload(text, "Output", SerializedOutput);
        AppendPayload(text, "FailureDetails", FailureDetails is null ? null : $"{FailureDetails.ErrorType} - {FailureDetails.ErrorMessage}");
        return text.Append(']').ToString();
    }

    private static void AppendPayload(StringBuilder text, string name, string? payload)
    {
        if (payload is not null)
        {
            string shown = payload.Length > LongestPayloadShown ? payload[..LongestPayloadShown] + "..." : payload;
            text.Append(CultureInfo.InvariantCulture, $", {name}: '{shown}'");
        }
    }

    [SuppressMessage("Performance", "CA1859:Use concrete types", Justification = "The property's type is part of the public surface.")]
    private DataConverter Converter(string method) => DataConverter ?? throw new InvalidOperationException(
        $"{method} works only on metadata that was fetched with inputs and outputs (getInputsAndOutputs: true).");
}
