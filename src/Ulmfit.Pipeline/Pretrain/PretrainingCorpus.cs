using Ulmfit.Data;
using Ulmfit.Storage;
using Ulmfit.Training;

namespace Ulmfit.Pipeline.Pretrain;

/// <summary>The texts that language models are pretrained on: files of plain text in the container <see cref="Containers.Unlabeled"/>.</summary>
/// <param name="store">Where they are.</param>
public sealed class PretrainingCorpus(IBlobStore store)
{
    /// <summary>Whether a file is plain text by its name.</summary>
    /// <param name="name">The file's name.</param>
    public static bool IsText(string name)
    {
        ArgumentNullException.ThrowIfNull(name);
        return name.EndsWith(".txt", StringComparison.OrdinalIgnoreCase) || name.EndsWith(".txt.gz", StringComparison.OrdinalIgnoreCase);
    }

    /// <summary>The files that an order names, in its order; those of a folder in order of their names.</summary>
    /// <param name="named">Files and folders, with their container.</param>
    /// <param name="path">The member of the order that names them, for messages.</param>
    /// <param name="ct">Cancels the call.</param>
    /// <returns>Their names in the container.</returns>
    /// <exception cref="TrainingSettingsException">A file is missing, or a folder has no text.</exception>
    public async Task<IReadOnlyList<string>> FindAsync(IReadOnlyList<string> named, string path, CancellationToken ct = default)
    {
        ArgumentNullException.ThrowIfNull(named);
        var files = new List<string>();
        var errors = new List<SettingsError>();
        foreach (string one in named)
        {
            string name = one[(Containers.Unlabeled.Length + 1)..];
            int before = files.Count;
            if (!name.EndsWith('/'))
            {
                if (await store.ExistsAsync(Containers.Unlabeled, name, ct).ConfigureAwait(false))
                {
                    files.Add(name);
                }
            }
            else
            {
                await foreach (BlobInfo blob in store.ListAsync(Containers.Unlabeled, name, ct).ConfigureAwait(false))
                {
                    if (IsText(blob.Name))
                    {
                        files.Add(blob.Name);
                    }
                }
            }
            if (files.Count == before)
            {
                errors.Add(new SettingsError(path, name.EndsWith('/') ? $"there is no .txt or .txt.gz file in {one}: put the text there first" : $"there is no file {one}: put the text there first"));
            }
        }
        errors.AddRange(files.GroupBy(file => file, StringComparer.Ordinal).Where(same => same.Count() > 1).Select(same => new SettingsError(path, $"names {Containers.Unlabeled}/{same.Key} twice")));
        return errors.Count == 0 ? files : throw new TrainingSettingsException(errors);
    }

    /// <summary>What tells one state of files from another, quickly.</summary>
    /// <param name="files">Names in the container.</param>
    /// <param name="ct">Cancels the call.</param>
    /// <exception cref="PipelineException">A file is missing.</exception>
    public async Task<string> MarkAsync(IEnumerable<string> files, CancellationToken ct = default)
    {
        ArgumentNullException.ThrowIfNull(files);
        var marks = new List<string>();
        foreach (string file in files)
        {
            marks.Add((await store.GetInfoAsync(Containers.Unlabeled, file, ct).ConfigureAwait(false))?.ETag.Value ?? throw Missing(file));
        }
        return string.Join('\n', marks);
    }

    /// <summary>The documents of files, one after another; nothing but the document at hand is in memory. Every enumeration reads the files anew.</summary>
    /// <param name="files">Names in the container.</param>
    /// <param name="ct">Cancels the reading.</param>
    public IEnumerable<string> Documents(IReadOnlyList<string> files, CancellationToken ct = default) =>

        // Readers are synchronous here and in the stages behind them, on threads that have nothing else to do.
        files.SelectMany(file => CorpusReader.Documents(
            () => store.OpenReadAsync(Containers.Unlabeled, file, ct).GetAwaiter().GetResult() ?? throw Missing(file), $"{Containers.Unlabeled}/{file}"));

    private static PipelineException Missing(string file) =>
        new($"{Containers.Unlabeled}/{file} is missing. Put it back as it was; then the same order goes on.");
}
