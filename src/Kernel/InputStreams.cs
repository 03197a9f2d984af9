using System.IO.Compression;

namespace V2XSim.Kernel;

/// <summary>Opens what may or may not be compressed, told by the first bytes and never by the name.</summary>
public static class InputStreams
{
    /// <summary>The stream itself, or what it unpacks to when it begins with the gzip mark. Disposing the result disposes the source.</summary>
    public static Stream Decompress(Stream source)
    {
        if (!source.CanSeek)
        {
            var buffered = new MemoryStream();
            source.CopyTo(buffered);
            source.Dispose();
            buffered.Position = 0;
            source = buffered;
        }

        long start = source.Position;
        Span<byte> mark = stackalloc byte[2];
        int read = source.ReadAtLeast(mark, 2, throwOnEndOfStream: false);
        source.Position = start;
        return read == 2 && mark[0] == 0x1F && mark[1] == 0x8B
            ? new GZipStream(source, CompressionMode.Decompress)
            : source;
    }
}
