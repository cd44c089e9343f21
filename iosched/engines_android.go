package iosched

func engines() []engineMaker { return []engineMaker{{"libaio", newAIO}, {"pread", newPread}} }
