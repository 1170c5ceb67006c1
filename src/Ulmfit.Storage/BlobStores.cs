using Azure.Core;
using Azure.Identity;
using Azure.Storage.Blobs;

namespace Ulmfit.Storage;

/// <summary>Opens the store that a setting names.</summary>
public static class BlobStores
{
    /// <summary>The setting that names the folder store.</summary>
    public const string Folder = "folder";

    /// <summary>Opens a store.</summary>
    /// <param name="storage">
    /// <c>folder</c>; or an Azure Storage connection string, <c>UseDevelopmentStorage=true</c> for Azurite on this machine; or the address of
    /// an account's blob service, <c>https://account.blob.core.windows.net</c>, to which this process's identity is shown
    /// (environment, managed identity, a signed-in developer) unless the address carries a shared access signature.
    /// </param>
    /// <param name="dataDirectory">The folder of the folder store; not used otherwise.</param>
    /// <returns>The store. Nothing is asked of the service yet.</returns>
    /// <exception cref="ArgumentException"><paramref name="storage"/> is none of these.</exception>
    public static IBlobStore Open(string storage, string dataDirectory)
    {
        ArgumentNullException.ThrowIfNull(storage);
        if (storage.Equals(Folder, StringComparison.OrdinalIgnoreCase))
        {
            return new FolderBlobStore(dataDirectory);
        }
        if (Uri.TryCreate(storage, UriKind.Absolute, out var address) && address.Scheme is "https" or "http")
        {
            var hasSignature = address.Query.Length > 1;
            if (address.Scheme == "http" && !(hasSignature && address.IsLoopback))
            {
                throw new ArgumentException($"The storage address {address.GetLeftPart(UriPartial.Path)} is not encrypted: begin it with https.", nameof(storage));
            }
            return new AzureBlobStore(
                hasSignature ? new BlobServiceClient(address, Options()) : new BlobServiceClient(address, new DefaultAzureCredential(), Options()));
        }
        if (storage.Contains('=', StringComparison.Ordinal))
        {
            try
            {
                return new AzureBlobStore(new BlobServiceClient(storage, Options()));
            }
            catch (FormatException e)
            {
                throw new ArgumentException($"The storage connection string is not one: {e.Message}", nameof(storage), e);
            }
        }
        throw new ArgumentException(
            $"The storage '{storage}' is not known. It takes 'folder', an Azure Storage connection string ('UseDevelopmentStorage=true' for Azurite), " +
            "or the address of a blob service ('https://account.blob.core.windows.net').",
            nameof(storage));
    }

    private static BlobClientOptions Options()
    {
        var options = new BlobClientOptions();
        // About a minute of trying in all: a failover or a throttled account passes, an outage shows.
        options.Retry.Mode = RetryMode.Exponential;
        options.Retry.MaxRetries = 6;
        options.Retry.Delay = TimeSpan.FromMilliseconds(500);
        options.Retry.MaxDelay = TimeSpan.FromSeconds(20);
        options.Retry.NetworkTimeout = TimeSpan.FromSeconds(100);
        return options;
    }
}
