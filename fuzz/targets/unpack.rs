#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| holotype_fuzz::unpack(data));
