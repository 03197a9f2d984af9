using System.Runtime.InteropServices;

namespace V2XSim.LoadTesting;

/// <summary>Sleeps for less than a millisecond, which nothing in the framework does: its shortest sleep would make every message late.</summary>
public static class FineSleep
{
    public static void For(long microseconds)
    {
        if (OperatingSystem.IsLinux() || OperatingSystem.IsMacOS())
        {
            var time = new TimeSpec { Seconds = microseconds / 1_000_000, Nanoseconds = microseconds % 1_000_000 * 1000 };
            _ = NanoSleep(in time, IntPtr.Zero);
        }
        else
        {
            Thread.SpinWait(100);
        }
    }

#pragma warning disable SYSLIB1054 // The generated form needs unsafe code, which this solution does without.
    [DllImport("libc", EntryPoint = "nanosleep")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.System32)]
    private static extern int NanoSleep(in TimeSpec time, IntPtr rest);
#pragma warning restore SYSLIB1054

    [StructLayout(LayoutKind.Sequential)]
    private struct TimeSpec
    {
        public long Seconds;
        public long Nanoseconds;
    }
}
