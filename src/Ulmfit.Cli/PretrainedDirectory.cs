using Ulmfit.Training;

namespace Ulmfit.Cli;

/// <summary>The pretrained language model that an option names: one that ships with the program, or a folder.</summary>
internal static class PretrainedDirectory
{
    public static PretrainedModel Load(string nameOrFolder) =>
        PretrainedLibrary.Shipped.Resolve(nameOrFolder) ?? throw new UsageException($"'{nameOrFolder}' stands for no pretrained model, but one is needed here.");
}
