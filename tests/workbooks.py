"""Excel workbooks for tests."""

from __future__ import annotations

import io

from openpyxl import Workbook


def workbook(**sheets):
    """The content of a workbook with these sheets, each by its rows."""
    book = Workbook()
    book.remove(book.active)
    for name, rows in sheets.items():
        sheet = book.create_sheet(name)
        for row in rows:
            sheet.append(row)
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()
