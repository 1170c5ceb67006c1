using System.Buffers;
using System.Runtime.CompilerServices;
using Azure;
using Azure.Storage.Blobs;
using Azure.Storage.Blobs.Models;
using Azure.Storage.Blobs.Specialized;

namespace Ulmfit.Storage;

/// <summary>Blobs in Azure Blob Storage, as block blobs. Containers come into being with their first blob.</summary>
/// <remarks>
/// <para>Transient failures are retried by the client as its options say. An upload that is retried after its answer was lost does
/// not take its own first attempt for somebody else's: every write carries a mark by which it is known again.</para>
/// <para>Failures that outlast the retries throw <see cref="IOException"/>.</para>
/// </remarks>
public sealed class AzureBlobStore : IBlobStore
{
    // One request up to here, so that the write is atomic by itself; above it blocks, each retried alone.
    private const int SingleRequestLimit = 32 << 20;
    private const int BlockSize = 16 << 20;
    private const int ReadBuffer = 4 << 20;
    private const int Attempts = 10;
    private const string WriteMark = "write";

    private readonly BlobServiceClient service;

    /// <summary>Opens the store.</summary>
    /// <param name="service">The account.</param>
    public AzureBlobStore(BlobServiceClient service)
    {
        ArgumentNullException.ThrowIfNull(service);
        this.service = service;
    }

    /// <inheritdoc />
    public async Task<BlobContent?> GetAsync(string container, string name, CancellationToken ct = default)
    {
        var blob = Locate(container, name);
        try
        {
            var result = (await blob.DownloadContentAsync(ct).ConfigureAwait(false)).Value;
            var bytes = result.Content.ToArray();
            return new BlobContent(new BlobInfo(name, Of(result.Details.ETag), bytes.LongLength, result.Details.LastModified), bytes);
        }
        catch (RequestFailedException e) when (IsAbsent(e))
        {
            return null;
        }
        catch (Exception e) when (AzureFailure.Is(e))
        {
            throw AzureFailure.Of(e, "read", $"{container}/{name}");
        }
    }

    /// <inheritdoc />
    public async Task<Stream?> OpenReadAsync(string container, string name, CancellationToken ct = default)
    {
        var blob = Locate(container, name);
        try
        {
            // Without modifications allowed every range asks for the version that was opened.
            var options = new BlobOpenReadOptions(allowModifications: false) { BufferSize = ReadBuffer };
            return new AzureReadStream(await blob.OpenReadAsync(options, ct).ConfigureAwait(false), $"{container}/{name}");
        }
        catch (RequestFailedException e) when (IsAbsent(e))
        {
            return null;
        }
        catch (Exception e) when (AzureFailure.Is(e))
        {
            throw AzureFailure.Of(e, "open", $"{container}/{name}");
        }
    }

    /// <inheritdoc />
    public async Task<BlobInfo?> GetInfoAsync(string container, string name, CancellationToken ct = default) =>
        (await DescribeAsync(Locate(container, name), ct).ConfigureAwait(false))?.Info;

    /// <inheritdoc />
    public async Task<BlobInfo> PutAsync(string container, string name, Stream content, CancellationToken ct = default) =>
        (await WriteAsync(container, name, content, null, ct).ConfigureAwait(false))!;

    /// <inheritdoc />
    public Task<BlobInfo?> PutIfAbsentAsync(string container, string name, Stream content, CancellationToken ct = default) =>
        WriteAsync(container, name, content, new BlobRequestConditions { IfNoneMatch = global::Azure.ETag.All }, ct);

    /// <inheritdoc />
    public async Task<BlobInfo?> PutIfMatchAsync(string container, string name, Stream content, ETag etag, CancellationToken ct = default)
    {
        var conditions = Match(etag);
        if (conditions is null)
        {
            Locate(container, name);
            return null;
        }
        return await WriteAsync(container, name, content, conditions, ct).ConfigureAwait(false);
    }

    /// <inheritdoc />
    public async IAsyncEnumerable<BlobInfo> ListAsync(string container, string prefix = "", [EnumeratorCancellation] CancellationToken ct = default)
    {
        BlobNames.CheckContainer(container);
        BlobNames.CheckPrefix(prefix);
        ct.ThrowIfCancellationRequested();
        var blobs = new List<BlobInfo>();
        try
        {
            await foreach (var item in service.GetBlobContainerClient(container)
                .GetBlobsAsync(BlobTraits.None, BlobStates.None, prefix, ct).ConfigureAwait(false))
            {
                // What other tools have put there under names that a store does not take is not this store's.
                if (BlobNames.IsBlobName(item.Name) && item.Properties is { ETag: { } etag, ContentLength: { } length, LastModified: { } modified })
                {
                    blobs.Add(new BlobInfo(item.Name, Of(etag), length, modified));
                }
            }
        }
        catch (RequestFailedException e) when (IsAbsent(e))
        {
            yield break;
        }
        catch (Exception e) when (AzureFailure.Is(e))
        {
            throw AzureFailure.Of(e, "list", container);
        }
        // The service orders by code points, which differ from ordinal order beyond the basic plane.
        blobs.Sort((a, b) => string.CompareOrdinal(a.Name, b.Name));
        foreach (var blob in blobs)
        {
            yield return blob;
        }
    }

    /// <inheritdoc />
    public Task<bool> DeleteAsync(string container, string name, CancellationToken ct = default) =>
        RemoveAsync(container, name, null, ct);

    /// <inheritdoc />
    public async Task<bool> DeleteIfMatchAsync(string container, string name, ETag etag, CancellationToken ct = default)
    {
        var conditions = Match(etag);
        if (conditions is null)
        {
            Locate(container, name);
            return false;
        }
        return await RemoveAsync(container, name, conditions, ct).ConfigureAwait(false);
    }

    private async Task<BlobInfo?> WriteAsync(string container, string name, Stream content, BlobRequestConditions? conditions, CancellationToken ct)
    {
        ArgumentNullException.ThrowIfNull(content);
        var blob = Locate(container, name);
        ct.ThrowIfCancellationRequested();
        try
        {
            // A retry reads the content again from its beginning, so what cannot be read again goes to a temporary file first.
            if (!content.CanSeek)
            {
                using var spool = CreateSpool();
                await content.CopyToAsync(spool, ct).ConfigureAwait(false);
                spool.Position = 0;
                return await WriteAsync(container, blob, spool, conditions, ct).ConfigureAwait(false);
            }
            return await WriteAsync(container, blob, content, conditions, ct).ConfigureAwait(false);
        }
        catch (Exception e) when (AzureFailure.Is(e))
        {
            throw AzureFailure.Of(e, "write", $"{container}/{name}");
        }
    }

    private async Task<BlobInfo?> WriteAsync(
        string container, BlockBlobClient blob, Stream content, BlobRequestConditions? conditions, CancellationToken ct)
    {
        var start = content.Position;
        var length = content.Length - start;
        var mark = Guid.NewGuid().ToString("N");
        var metadata = new Dictionary<string, string> { [WriteMark] = mark };
        for (var attempt = 1; ; attempt++)
        {
            content.Position = start;
            try
            {
                if (length > SingleRequestLimit && conditions is not null && await IsLostAsync(blob, conditions, ct).ConfigureAwait(false))
                {
                    return null; // found out before the upload instead of after it
                }
                var written = length <= SingleRequestLimit
                    ? await UploadWholeAsync(blob, content, metadata, conditions, ct).ConfigureAwait(false)
                    : await UploadBlocksAsync(blob, content, $"{mark}{attempt:x2}", metadata, conditions, ct).ConfigureAwait(false);
                return new BlobInfo(blob.Name, Of(written.ETag), length, written.LastModified);
            }
            catch (RequestFailedException e) when (e.ErrorCode == BlobErrorCode.ContainerNotFound && attempt < Attempts)
            {
                if (conditions?.IfMatch is not null)
                {
                    return null;
                }
                await service.GetBlobContainerClient(container).CreateIfNotExistsAsync(cancellationToken: ct).ConfigureAwait(false);
            }
            catch (RequestFailedException e) when (conditions is not null && IsLost(e))
            {
                // Lost, unless it was this very write that won and only its answer was lost.
                return await DescribeAsync(blob, ct).ConfigureAwait(false) is { } now && now.Mark == mark ? now.Info : null;
            }
            catch (RequestFailedException e) when (e.ErrorCode == BlobErrorCode.InvalidBlockList && attempt < Attempts)
            {
                // Another writer has committed the blob, which discards everybody's uncommitted blocks; or our own commit was
                // carried out and its answer lost. A condition is decided anew by the next attempt.
                if (await DescribeAsync(blob, ct).ConfigureAwait(false) is { } now && now.Mark == mark)
                {
                    return now.Info;
                }
            }
        }
    }

    private static async Task<BlobContentInfo> UploadWholeAsync(
        BlockBlobClient blob, Stream content, Dictionary<string, string> metadata, BlobRequestConditions? conditions, CancellationToken ct)
    {
        var options = new BlobUploadOptions
        {
            Conditions = conditions,
            Metadata = metadata,
            TransferOptions = new() { InitialTransferSize = SingleRequestLimit, MaximumTransferSize = SingleRequestLimit },
        };
        return await blob.UploadAsync(content, options, ct).ConfigureAwait(false);
    }

    /// <summary>
    /// Uploads in blocks and commits them. The blocks carry this write's own ids: those of the client library are made from
    /// offsets alone, so that two writers of one blob would overwrite each other's blocks and commit a mixture.
    /// </summary>
    private static async Task<BlobContentInfo> UploadBlocksAsync(
        BlockBlobClient blob, Stream content, string mark, Dictionary<string, string> metadata, BlobRequestConditions? conditions, CancellationToken ct)
    {
        var ids = new List<string>();
        var buffer = ArrayPool<byte>.Shared.Rent(BlockSize);
        try
        {
            int read;
            while ((read = await content.ReadAtLeastAsync(buffer.AsMemory(0, BlockSize), BlockSize, throwOnEndOfStream: false, ct).ConfigureAwait(false)) > 0)
            {
                var id = Convert.ToBase64String(System.Text.Encoding.ASCII.GetBytes($"{mark}{ids.Count:x6}"));
                using var block = new MemoryStream(buffer, 0, read, writable: false);
                await blob.StageBlockAsync(id, block, cancellationToken: ct).ConfigureAwait(false);
                ids.Add(id);
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
        return await blob.CommitBlockListAsync(ids, new CommitBlockListOptions { Conditions = conditions, Metadata = metadata }, ct).ConfigureAwait(false);
    }

    private async Task<bool> RemoveAsync(string container, string name, BlobRequestConditions? conditions, CancellationToken ct)
    {
        var blob = Locate(container, name);
        try
        {
            await blob.DeleteAsync(DeleteSnapshotsOption.IncludeSnapshots, conditions, ct).ConfigureAwait(false);
            return true;
        }
        catch (RequestFailedException e) when (IsAbsent(e) || (conditions is not null && IsLost(e)))
        {
            return false;
        }
        catch (Exception e) when (AzureFailure.Is(e))
        {
            throw AzureFailure.Of(e, "delete", $"{container}/{name}");
        }
    }

    private static async Task<bool> IsLostAsync(BlockBlobClient blob, BlobRequestConditions conditions, CancellationToken ct)
    {
        var now = await DescribeAsync(blob, ct).ConfigureAwait(false);
        return conditions.IfMatch is { } wanted ? now?.Info.ETag != Of(wanted) : now is not null;
    }

    private static async Task<(BlobInfo Info, string? Mark)?> DescribeAsync(BlockBlobClient blob, CancellationToken ct)
    {
        try
        {
            var properties = (await blob.GetPropertiesAsync(cancellationToken: ct).ConfigureAwait(false)).Value;
            return (new BlobInfo(blob.Name, Of(properties.ETag), properties.ContentLength, properties.LastModified),
                properties.Metadata.TryGetValue(WriteMark, out var mark) ? mark : null);
        }
        catch (RequestFailedException e) when (IsAbsent(e))
        {
            return null;
        }
        catch (Exception e) when (AzureFailure.Is(e))
        {
            throw AzureFailure.Of(e, "ask for", $"{blob.BlobContainerName}/{blob.Name}");
        }
    }

    private BlockBlobClient Locate(string container, string name)
    {
        BlobNames.CheckContainer(container);
        BlobNames.CheckBlob(name);
        return service.GetBlobContainerClient(container).GetBlockBlobClient(name);
    }

    /// <summary>The condition that an ETag makes; null for one that no blob can have, "*" above all, which would match every blob.</summary>
    private static BlobRequestConditions? Match(ETag etag)
    {
        ArgumentNullException.ThrowIfNull(etag.Value, nameof(etag));
        return etag.Value.Length > 0 && etag.Value.All(char.IsAsciiLetterOrDigit)
            ? new BlobRequestConditions { IfMatch = new global::Azure.ETag(etag.Value) }
            : null;
    }

    /// <summary>Headers give the mark in quotes, listings without.</summary>
    private static ETag Of(global::Azure.ETag etag) => new(etag.ToString("G").Trim('"'));

    /// <summary>A HEAD request has no body and so no error code to tell by, only its status.</summary>
    private static bool IsAbsent(RequestFailedException e) =>
        e.Status == 404 && (e.ErrorCode is null || e.ErrorCode == BlobErrorCode.BlobNotFound || e.ErrorCode == BlobErrorCode.ContainerNotFound);

    private static bool IsLost(RequestFailedException e) =>
        e.ErrorCode == BlobErrorCode.ConditionNotMet || e.ErrorCode == BlobErrorCode.BlobAlreadyExists || e.ErrorCode == BlobErrorCode.BlobNotFound
        || e.ErrorCode == BlobErrorCode.TargetConditionNotMet;

    /// <summary>A temporary file that only this user can read, gone when closed.</summary>
    private static FileStream CreateSpool() =>
        new(Path.GetTempFileName(), FileMode.Open, FileAccess.ReadWrite, FileShare.None, bufferSize: 1, FileOptions.DeleteOnClose);
}
