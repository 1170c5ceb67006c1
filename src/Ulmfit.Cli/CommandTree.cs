using System.CommandLine;
using Ulmfit.Cli.Bench;
using Ulmfit.Cli.Compare;
using Ulmfit.Cli.Hosted;
using Ulmfit.Cli.Pretrain;
using Ulmfit.Cli.Terminal;

namespace Ulmfit.Cli;

/// <summary>All commands.</summary>
internal static class CommandTree
{
    public static RootCommand Create()
    {
        var root = new RootCommand("ULMFiT text classifiers from a terminal: train, score and use them here, or hand text to a host and watch it train.")
        {
            TrainCommand.Create(),
            EvaluateCommand.Create(),
            ClassifyCommand.Create(),
            LearningRateCommand.Create(),
            CompareCommand.Create(),
            LowShotCommand.Create(),
            SelectCommand.Create(),
            PretrainCommand.Create(),
            ImportCommand.Create(),
            GenerateCommand.Create(),
            BenchCommand.Create(),
            DropCommand.Create(),
            WatchCommand.Create(),
        };
        FullHelp.Install(root);
        return root;
    }
}
