"""English words to phonemes, in the alphabet of misaki's dictionaries (Apache-2.0).

A letter is a phoneme: `A I O Q W Y` are the vowels of bait, bite, boat (US, UK), bout and boy,
`ʤ ʧ` begin jam and chin. Stress (`ˈ` first, `ˌ` second) stands before its vowel.
"""
