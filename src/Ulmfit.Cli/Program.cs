using System.CommandLine;
using Ulmfit.Cli;
using Ulmfit.Cli.Bench;

var root = new RootCommand("ULMFiT text classifiers from a terminal: train, evaluate, classify, measure.")
{
    TrainCommand.Create(),
    EvaluateCommand.Create(),
    ClassifyCommand.Create(),
    BenchCommand.Create(),
};

return await ExitCodes.RunAsync(root, args);
