namespace EmbeddedHost;

/// <summary>Ends the process with one clear line and exit code 1, instead of a stack trace, where the app does not handle a failed start.</summary>
internal static class StartFailure
{
    /// <summary>For an exception filter: notes an exception that a person can mend.</summary>
    /// <param name="failure">What was thrown.</param>
    /// <returns>False, so that the exception goes on.</returns>
    public static bool Note(Exception failure)
    {
        if (failure is HostStartException or FunctionBindingException)
        {
            AppDomain.CurrentDomain.UnhandledException += (_, unhandled) =>
            {
                if (ReferenceEquals(unhandled.ExceptionObject, failure))
                {
                    Console.Error.WriteLine(failure.Message);
                    Environment.Exit(1);
                }
            };
        }

        return false;
    }
}
