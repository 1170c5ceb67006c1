using EmbeddedHost.Tests.Hosting;
using Xunit.Runner.InProc.SystemConsole;

// A test starts this assembly once more, as a function app in a process of its own that can be signalled and killed.
return args is ["--child-app", .. var rest] ? await ChildApp.RunAsync(rest) : await ConsoleRunner.Run(args);
