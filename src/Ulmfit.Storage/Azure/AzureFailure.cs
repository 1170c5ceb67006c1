using Azure;

namespace Ulmfit.Storage;

/// <summary>Failures of the service, after its client has tried again, as <see cref="IOException"/> that say what to do.</summary>
internal static class AzureFailure
{
    /// <summary>Whether an exception is the service's or the way to it.</summary>
    public static bool Is(Exception e) =>
        e is RequestFailedException or HttpRequestException
        || (e is AggregateException { InnerExceptions.Count: > 0 } several && several.InnerExceptions.All(Is));

    /// <summary>The exception to throw.</summary>
    public static IOException Of(Exception e, string what, string shown)
    {
        var failure = e is AggregateException several ? several.InnerExceptions[^1] : e;
        var reason = failure switch
        {
            RequestFailedException { Status: 401 or 403 } refused =>
                $"access is denied ({refused.ErrorCode}). Check the key, or that this identity has the role Storage Blob Data Contributor on the account.",
            RequestFailedException { Status: > 0 } refused => $"HTTP {refused.Status}, {refused.ErrorCode}.",
            _ => $"the service cannot be reached. {failure.Message}",
        };
        return new IOException($"Azure Blob Storage could not {what} {shown}: {reason}", e);
    }
}
