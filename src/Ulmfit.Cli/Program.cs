using System.CommandLine;
using Ulmfit.Cli;

var root = new RootCommand("ULMFiT text classifiers from a terminal: train, evaluate, classify.")
{
    TrainCommand.Create(),
    EvaluateCommand.Create(),
    ClassifyCommand.Create(),
};

return await ExitCodes.RunAsync(root, args);
