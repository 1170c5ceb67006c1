using System.Security.Cryptography;
using System.Text;
using Ulmfit.Storage;

namespace Ulmfit.Pipeline.Datasets;

/// <summary>The drops of a data set as they lie in storage, names without the data set's.</summary>
/// <param name="Labeled">Labelled drops.</param>
/// <param name="Unlabeled">Unlabelled drops.</param>
public sealed record DropListing(IReadOnlyList<BlobInfo> Labeled, IReadOnlyList<BlobInfo> Unlabeled)
{
    /// <summary>A digest of the names and versions; equal for equal listings.</summary>
    public string GetFingerprint()
    {
        var text = new StringBuilder();
        foreach ((string container, IReadOnlyList<BlobInfo> blobs) in new[] { (Containers.Labeled, Labeled), (Containers.Unlabeled, Unlabeled) })
        {
            foreach (BlobInfo blob in blobs)
            {
                // A name holds no line break and no colon, so that two listings never make one text.
                text.Append(container).Append(':').Append(blob.Name).Append(':').Append(blob.ETag.Value).Append('\n');
            }
        }
        return Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text.ToString())));
    }
}
