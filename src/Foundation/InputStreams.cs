using System.IO.Compression;

namespace V2XSim.Foundation;

/// <summary>Opens data that may be gzip-compressed. The first two bytes decide, not the file name.</summary>
public static class InputStreams
{
    /// <summary>
    /// The stream's data, decompressed when it begins with the gzip signature. The data is not buffered in memory. Disposing the result
    /// disposes the source.
    /// </summary>
    public static Stream Decompress(Stream source)
    {
        byte[] mark = new byte[2];
        int read = source.ReadAtLeast(mark, 2, throwOnEndOfStream: false);
        var whole = new RejoinedStream(mark.AsMemory(0, read), source);
        return read == 2 && mark[0] == 0x1F && mark[1] == 0x8B ? new GZipStream(whole, CompressionMode.Decompress) : whole;
    }

    /// <summary>The error for compressed data that cannot be decompressed.</summary>
    public static BadInputException Damaged(InvalidDataException e, string file) =>
        new(file, string.Empty, $"the gzip data is damaged or cut off: {e.Message}", "copy the file again");

    /// <summary>A stream of bytes that were read ahead, followed by the rest of the source.</summary>
    private sealed class RejoinedStream(ReadOnlyMemory<byte> ahead, Stream rest) : Stream
    {
        private ReadOnlyMemory<byte> _ahead = ahead;

        public override bool CanRead => true;

        public override bool CanSeek => false;

        public override bool CanWrite => false;

        public override long Length => throw new NotSupportedException();

        public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

        public override int Read(Span<byte> buffer)
        {
            if (_ahead.IsEmpty)
            {
                return rest.Read(buffer);
            }

            int count = Math.Min(buffer.Length, _ahead.Length);
            _ahead.Span[..count].CopyTo(buffer);
            _ahead = _ahead[count..];
            return count;
        }

        public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

        public override void Flush()
        {
        }

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();

        public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

        protected override void Dispose(bool disposing)
        {
            if (disposing)
            {
                rest.Dispose();
            }

            base.Dispose(disposing);
        }
    }
}
