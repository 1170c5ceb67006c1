namespace Ulmfit.Data;

/// <summary>A file as a whole cannot be read. It never leaves the readers, which turn it into the file's error.</summary>
internal sealed class FileRefusedException(string message) : Exception(message);
